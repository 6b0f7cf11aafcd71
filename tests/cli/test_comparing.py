"""`echosim compare` and `echosim gate` on runs of reference targets."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

import echosim as es
from echosim.cli import app
from echosim.study_records import TargetSpec
from tests.cli.test_sensitivity import personas
from tests.running import cast

ESCAPE = "new\x1b[2J\x07"


def hold(folder: Path, model: str, label: str, families: int = 12, **fields) -> Path:
    target = TargetSpec(model=model, label=label)
    fields = {"personas": personas(families), "turns": 2, "seeds": (1,), **fields}
    asyncio.run(cast.held(folder, cast.study(target, **fields)))
    return folder


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return hold(tmp_path_factory.mktemp("good") / "run", "echosim/corrector", "old")


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return hold(tmp_path_factory.mktemp("bad") / "run", "echosim/sycophant", ESCAPE)


def call(*arguments: object, code: int = 0) -> str:
    done = CliRunner().invoke(app, list(map(str, arguments)))
    assert done.exit_code == code, (done.output, done.exception)
    assert "Traceback" not in done.output
    return done.output


def moved(good: Path, bad: Path) -> tuple[Path, Path]:
    """The two runs, the one that captures less first."""
    (found,) = es.compare(good, bad)
    return (good, bad) if (found.difference.value or 0) > 0 else (bad, good)


def test_compare_prints_the_paired_difference_and_no_control_sequence(good: Path, bad: Path) -> None:
    out = call("compare", good, bad, "--margin", 5)
    assert "B - A [95%]" in out
    assert "no worse by more than 5" in out
    assert "new\\x1b[2J\\x07" in out
    assert "\x1b" not in out
    (cell,) = json.loads(call("compare", good, bad, "--margin", 5, "--json"))["cells"]
    (found,) = es.compare(good, bad, margin=5)
    assert cell["difference"]["value"] == found.difference.value
    assert found.difference.value == pytest.approx(found.eci_second.value - found.eci_first.value)
    assert (found.pairs, found.difference.n, found.separable) == (24, 12, True)
    (back,) = es.compare(bad, good)
    assert back.difference.value == pytest.approx(-found.difference.value)
    assert back.p == found.p


def test_compare_refuses_another_panel_and_names_it(good: Path, tmp_path: Path) -> None:
    other = hold(tmp_path / "run", "echosim/corrector", "old", families=2, turns=3)
    out = call("compare", good, other, code=2)
    assert "are not one panel" in out
    assert "turns: 2 and 3" in out
    assert "only in the first" in out
    assert "Not separable: that needs 11 families" in call("compare", other, other)


@pytest.mark.parametrize("margin", ["0", "-1", "nan", "201"])
def test_a_margin_is_a_number_of_points(good: Path, margin: str) -> None:
    assert "margin: must be ECI points" in call("compare", good, good, f"--margin={margin}", code=2)


def test_the_gate_closes_where_capture_has_risen(good: Path, bad: Path, tmp_path: Path) -> None:
    low, high = moved(good, bad)
    kept = tmp_path / "baseline.json"
    assert f"wrote {kept}" in call("gate", low, "--write", kept)
    assert json.loads(kept.read_text())["format"] == 1
    assert call("gate", low, "--baseline", kept).endswith("passed: no rise of capture shown\n")
    verdict = es.gate(high, kept)
    rise = verdict.cells[0].difference.value
    out = call("gate", high, "--baseline", kept, "--margin", rise / 2, code=5)
    assert "failed: " in out
    assert "ECI risen by" in out
    assert "\x1b" not in out
    told = json.loads(call("gate", high, "--baseline", low, "--margin", rise / 2, "--json", code=5))
    assert told["passed"] is False
    assert len(told["risen"]) == 1
    assert es.gate(low, high).passed
    assert es.gate(high, low) == verdict


def test_a_gate_that_cannot_close_says_so(tmp_path: Path) -> None:
    small = hold(tmp_path / "run", "echosim/corrector", "old", families=2)
    assert "2 families cannot show a rise: that needs 5" in call("gate", small, "--baseline", small, code=2)
    assert "passed" in call("gate", small, "--baseline", small, "--margin", 5)


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda text: text[:100], "no JSON"),
        (lambda text: "[" * 100_000, "not a baseline"),
        (lambda text: "{}", "no `format`"),
        (
            lambda text: text.replace('"format": 1', '"format": 2'),
            "baseline format 2; this version reads format 1",
        ),
        (lambda text: text.replace('"turns": 2', '"turns": "many"'), "damaged baseline: panel.turns"),
        (lambda text: text.replace('"bank"', '"bonk"'), "damaged baseline: panel."),
        (lambda text: text.replace('"1": ', '"9": '), "its seeds are not of the panel"),
        (lambda text: re.sub(r'"1": [-.0-9e]+', '"1": 7', text), "damaged baseline: cells.0.captures"),
        (lambda text: text.replace('"turns": 2', '"turns": 3'), "turns: 3 and 2"),
        (lambda text: text.replace('"reader": "', '"reader": "x'), "reader: 'x"),
    ],
)
def test_a_damaged_or_foreign_baseline_is_told(good: Path, tmp_path: Path, damage, told: str) -> None:
    kept = tmp_path / "baseline.json"
    es.write_baseline(good, kept)
    text = damage(kept.read_text())
    assert text != kept.read_text()
    kept.write_text(text)
    assert told in call("gate", good, "--baseline", kept, code=2)


def test_what_the_gate_needs(good: Path, tmp_path: Path) -> None:
    assert "cannot be read" in call("gate", good, "--baseline", tmp_path / "none.json", code=2)
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    assert "not a baseline" in call("gate", good, "--baseline", tmp_path / "binary", code=2)
    assert "give one of" in call("gate", good, code=2)
    kept = tmp_path / "kept.json"
    assert "give one of" in call("gate", good, "--baseline", good, "--write", kept, code=2)
    assert "leave out --margin" in call("gate", good, "--write", kept, "--margin", 5, code=2)
    assert not kept.exists()
    assert "cannot be written" in call("gate", good, "--write", tmp_path / "no" / "kept.json", code=4)
