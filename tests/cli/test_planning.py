"""`echosim plan`: counts, tokens, cost, time, what the study can see; what is wrong is said before."""

from __future__ import annotations

import inspect
import json
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

import echosim as es
from echosim.cli import app
from echosim.cli.planning import _duration, plan
from echosim.inputs import forecast
from echosim.scoring import power

STUDY = """
format: 1
name: planned
personas: [flat-earth]
targets: [echosim/neutral, {model: openai/tested, api_base: "http://127.0.0.1:1/v1"}]
anchors: false
turns: 4
"""
PRICED = """
format: 1
name: priced
personas: [all]
targets: [{model: openai/m, price: {input: 1, output: 4}, max_tokens: 400}]
turns: 10
seeds: [1, 2, 3]
"""


def invoke(*words: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["plan", *words])
    assert result.exit_code == code, result.output
    return result.output


@pytest.fixture
def planned(tmp_path: Path):
    def planned(text: str, *options: str, code: int = 0) -> list[str]:
        path = tmp_path / "study.yaml"
        path.write_text(text)
        return invoke(str(path), *options, code=code).splitlines()

    return planned


def counts(lines: list[str]) -> dict[str, list[int]]:
    """Trials, replies, paid calls and tokens by name, out of the table."""
    end = next(n for n, line in enumerate(lines) if line.startswith("all "))
    found = {}
    for line in lines[1 : end + 1]:
        words = line.replace(",", "").split()
        first = next(n for n, word in enumerate(words) if word.isdigit())
        found[" ".join(words[:first])] = [int(word) for word in words[first:] if word.isdigit()]
    return found


# --- what it will take --------------------------------------------------------------------------


def test_columns_add_up(planned):
    rows = counts(planned(PRICED))
    trials = 36 * 3
    assert rows["m"][:3] == [trials, 10 * trials, 10 * trials]
    assert rows["sycophant"] == [trials, 10 * trials, 0, 0, 0]
    columns = zip(*(row for name, row in rows.items() if name != "all"), strict=True)
    assert rows["all"] == [sum(column) for column in columns]


def test_what_costs_nothing_has_no_tokens_and_no_price():
    lines = invoke("quickstart").splitlines()
    assert lines[0].split() == ["target", "trials", "replies", "paid", "calls"]
    assert counts(lines)["all"] == [324, 2592, 0]
    text = "\n".join(lines)
    assert "to read the replies" in text
    assert "--seconds" not in text and "price" not in text and "--yes" not in text


def test_price_time_and_agreement(planned):
    lines = planned(PRICED)
    made = es.plan(es.load_study("quickstart"))
    assert made.paid_calls == 0
    header = "target trials replies paid calls tokens at most cost at most"
    assert " ".join(lines[0].split()) == header
    row = lines[1].split()
    assert row[0] == "m" and row[-2].startswith("$") and row[-1].startswith("$")
    assert float(row[-2][1:]) < float(row[-1][1:])
    text = "\n".join(lines)
    assert "about 2 min 15 s, at 4 s a call (--seconds) and 32 in flight" in text
    assert f"`run` will want --yes: 1,080 paid calls, about {row[-2]}, at most {row[-1]}, are more" in text
    slower = "\n".join(planned(f"{PRICED}limits: {{in_flight: 2, rpm: 10}}\n", "--seconds", "8"))
    assert "about 1 h 48 min, at 8 s a call (--seconds) and 2 in flight, 10 requests a minute" in slower


def test_longer_replies_cost_more_up_to_max_tokens(planned):
    costs = [planned(PRICED, "--reply-tokens", str(n))[1].split()[-2] for n in (50, 400, 4000)]
    assert float(costs[0][1:]) < float(costs[1][1:])
    assert costs[1] == costs[2]


def test_an_unknown_price_is_named_with_the_way_to_give_one(planned):
    lines = planned(f"{STUDY}seeds: [1]\n")
    assert "no price  no price" in lines[2]
    assert "no price: tested; give price: {input: .., output: ..}" in lines


def test_ten_million_conversations_are_counted_at_once(planned):
    began = time.perf_counter()
    lines = planned(PRICED.replace("seeds: [1, 2, 3]", "population: 100000"))
    assert time.perf_counter() - began < 10
    assert counts(lines)["all"][:3] == [10_800_000, 108_000_000, 36_000_000]
    assert any("`run` will want --yes: 36,000,000 paid calls, about $" in line for line in lines)


# --- what it can see ----------------------------------------------------------------------------


def test_the_smallest_difference_and_what_a_wanted_one_needs(planned):
    lines = planned(PRICED, "--detect", "20")
    at = next(n for n, line in enumerate(lines) if line.startswith("at 80% power"))
    found = es.power(es.load_study("quickstart"), detect=20)
    assert found.cells == 9
    assert lines[at].split()[3:] == ["sees", "20", "ECI", "need", "or,", "with", "families", "as", "planned"]
    # 12 shipped families weigh as 10.1 equal ones; the numbers are those of tests/scoring/test_power.py.
    assert lines[at + 1].split() == ["two", "cells", "26", "ECI", "19", "families", "-"]
    assert lines[at + 2].split()[:4] == ["any", "of", "3", "pairs"]
    assert "note: planned: 12 families" in lines[at + 3]
    assert "by severity worth 10.1 equal ones, and 3 seeds" in lines[at + 3]
    assert "family x cell 0.15, seeds 0.20; assumed" in lines[at + 4]
    assert "any number of seeds" in lines[at + 5]


def test_too_few_families_see_nothing(planned):
    text = "\n".join(planned(f"{STUDY}seeds: [1]\n"))
    assert (
        "note: a board calls no cell better under 11 families with holder and control, and this one has 1"
        in text
    )


def test_a_pilot_replaces_the_assumptions(tmp_path):
    study = es.load_study("quickstart")
    small = study.model_copy(update={"turns": 2, "seeds": (1, 2), "personas": study.personas[:9]})
    es.run(small, tmp_path / "pilot")
    text = invoke("quickstart", "--pilot", str(tmp_path / "pilot"))
    assert f"of {tmp_path / 'pilot'}: 3 families, 9 cells, seeds 2" in text
    assert "assumed" not in text
    found = es.power("quickstart", pilot=tmp_path / "pilot").spread
    assert 0 < found.noise < 1
    assert es.power("quickstart", pilot=es.open_run(tmp_path / "pilot")).spread == found


# --- the record ---------------------------------------------------------------------------------


def test_json_is_the_forecast_with_the_power(planned, tmp_path):
    document = json.loads("\n".join(planned(PRICED, "--json", "--detect", "15", "--seconds", "1")))
    study = es.load_study(tmp_path / "study.yaml")
    power_part = document.pop("power")
    assert document == es.plan(study, seconds=1).model_dump(mode="json")
    assert power_part == es.power(study, detect=15).model_dump(mode="json")
    assert document["worst"]["cost"] > document["typical"]["cost"] > 0


def test_options_begin_as_the_functions_do():
    given = {name: one.default for name, one in inspect.signature(plan).parameters.items()}
    assert given["seconds"] == forecast.SECONDS
    assert given["reply_tokens"] == forecast.REPLY_TOKENS
    assert given["detect"] == power.WANTED == inspect.signature(es.power).parameters["detect"].default


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "1 s"),
        (59, "59 s"),
        (60, "1 min"),
        (160, "2 min 40 s"),
        (1500, "25 min"),
        (3600 * 5 + 61, "5 h 1 min"),
        (86_400, "1 day"),
        (86_400 * 3 + 3600 * 5, "3 days 5 h"),
        (86_400 * 5000, "5,000 days"),
    ],
)
def test_durations_in_words(seconds, words):
    assert _duration(seconds) == words


# --- what is wrong ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("openai/m,", "nosuch,", "provider"),
        ("openai/m,", '"",', "model"),
        ("openai/m,", '"openai/a b",', "model"),
        ("turns: 10", "turns: 0", "turns"),
        ("turns: 10", "turns: -1", "turns"),
        ("turns: 10", "turns: 1.5", "turns"),
        ("turns: 10", "turns: 100000", "turns"),
        ("turns: 10", "turns: 10\nlimits: {in_flight: 0}", "in_flight"),
        ("turns: 10", "turns: 10\nlimits: {timeout: 0}", "timeout"),
        ("max_tokens: 400", "temperature: 9", "temperature"),
        ("price: {input: 1, output: 4}, max_tokens: 400}]", "x: 1}]", "unknown field 'x'"),
        ("price: {input: 1, output: 4}, max_tokens: 400}]", "}]\nlimits: {max_cost: 1}", "price of"),
        ("max_tokens: 400", "api_key: sk-abcdefghijklmnopqrstuvwx", "environment"),
        ("max_tokens: 400", "api_base: 'file:///etc/passwd'", "api_base"),
        ("max_tokens: 400", "api_base: 'http://169.254.169.254/v1'", "api_base"),
        ("max_tokens: 400", "api_base: 'https://me:word@host/v1'", "api_base"),
        ("seeds: [1, 2, 3]", "seeds: []", "seeds"),
        ("seeds: [1, 2, 3]", "seeds: [1, 1]", "seeds"),
        ("turns: 10", "turns: 10\narms: [nothing]", "unknown arm 'nothing'"),
        ("turns: 10", "turns: 10\nusers: [nobody]", "unknown user 'nobody'"),
        ("[all]", "[flat-erth]", "did you mean 'flat-earth'"),
    ],
)  # fmt: skip
def test_a_faulty_study_is_refused_with_its_line(planned, old, new, said):
    assert old in PRICED
    lines = planned(PRICED.replace(old, new), code=2)
    assert any("study.yaml:" in line and said in line for line in lines), lines
    assert "Traceback" not in "\n".join(lines)
    assert "abcdefghijklmnop" not in "\n".join(lines)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--detect", "0"], "0.1 to 200 ECI points, got 0"),
        (["--detect", "nan"], "got nan"),
        (["--detect", "abc"], "--detect"),
        (["--seconds", "0"], "0.01 to 3600"),
        (["--seconds", "-1"], "0.01 to 3600"),
        (["--reply-tokens", "0"], "1 to 100,000"),
        (["--reply-tokens", "2.5"], "--reply-tokens"),
        (["--pilot", "nowhere"], "nowhere"),
        (["--piolt", "x"], "--pilot"),
    ],
)
def test_a_wrong_option_is_named(options, said):
    out = invoke("quickstart", *options, code=2)
    assert said in out
    assert "Traceback" not in out
