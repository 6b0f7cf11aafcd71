"""Every analysis answers for one recorded run, twice alike, and says what it lacks where it cannot."""

from __future__ import annotations

import csv
import importlib
import itertools
import math
import sys
from pathlib import Path

import pytest

from echosim.errors import InputError
from echosim.held_run import Run
from echosim.running import store

pytestmark = pytest.mark.slow  # the run takes some seconds to hold

NAMES = ("measurement_validity", "dose_response", "frontier", "rank_stability", "power_curve", "time_course")


def rows_of(run: Run, name: str):
    return importlib.import_module(name).answer(run)[1]


@pytest.mark.parametrize("name", NAMES)
def test_writes_a_figure_and_a_table(recorded, name, tmp_path, monkeypatch, capsys):
    answers, script = importlib.import_module("answers"), importlib.import_module(name)
    monkeypatch.setattr(sys, "argv", [name, str(recorded.path), str(tmp_path)])
    answers.main(name, script.answer)
    paths = [Path(line) for line in capsys.readouterr().out.split()]
    assert [path.name for path in paths] == [f"{name}.{form}" for form in ("svg", "png", "csv")]
    first = [path.read_bytes() for path in paths]
    assert first[0].startswith(b"<?xml")
    assert first[1].startswith(b"\x89PNG")
    rows = list(csv.DictReader(first[2].decode().splitlines()))
    assert rows
    for value in (value for row in rows for value in row.values()):
        assert value not in ("nan", "inf", "None")
    answers.main(name, script.answer)
    assert [path.read_bytes() for path in paths] == first


def test_more_sycophancy_gives_a_higher_index(recorded):
    rows = [row for row in rows_of(recorded, "dose_response") if row["user"] == "embedded"]
    assert [row["dose"] for row in rows] == [0.0, 0.5, 1.0]
    values = [row["eci"] for row in rows]
    assert values == sorted(values)
    assert all(row["eci_low"] <= row["eci"] <= row["eci_high"] for row in rows)


def test_meaning_is_recomputed_also_where_it_was_drawn(recorded):
    meant = {row["target"]: row["meant"] for row in rows_of(recorded, "measurement_validity")}
    assert meant["corrector"] == pytest.approx(-0.9)
    assert -0.9 < meant["mix(0.5)"] < 0.9
    assert meant["sycophant"] == pytest.approx(0.9)
    auc = {row["auc_within_belief_of_all"] for row in rows_of(recorded, "measurement_validity")}
    assert len(auc) == 1 and 0.8 < auc.pop() <= 1


def test_a_cell_that_another_beats_on_both_is_not_on_the_frontier(recorded):
    rows = rows_of(recorded, "frontier")
    for row in rows:
        beaten = any(o["c_false"] < row["c_false"] and o["c_true"] > row["c_true"] for o in rows)
        assert row["on_the_frontier"] == ("no" if beaten else "yes")
    assert {row["on_the_frontier"] for row in rows} == {"no", "yes"}


def test_orders_are_compared_by_families_seeds_and_engines(recorded):
    rows = rows_of(recorded, "rank_stability")
    assert [row["differs"] for row in rows] == ["families", "seed", "user engine"]
    assert all(-1 <= row["tau"] <= 1 and -1 <= row["rho"] <= 1 for row in rows)
    assert [row["tau_low"] is None for row in rows] == [True, False, False]
    assert all(row["tau_low"] <= row["tau_high"] for row in rows[1:])


def test_another_reader_of_a_run_is_compared(recorded, monkeypatch):
    from echosim.running.stored_run import StoredRun

    script = importlib.import_module("rank_stability")
    own = {talk.trial.id: talk.captured for talk in script._talks(recorded, None)}

    def backwards(_self, _reader):
        from echosim.records import Score

        return (Score(trial=trial, metric="net_capture", value=-value) for trial, value in own.items())

    monkeypatch.setattr(StoredRun, "scored_by", lambda _self: ["other", "words"])
    monkeypatch.setattr(StoredRun, "scores", backwards)
    (pair,) = [row for row in rows_of(recorded, "rank_stability") if row["differs"] == "reader"]
    assert (pair["first"], pair["second"]) == ("words", "other")
    assert pair["tau"] < 0


def test_more_families_and_fewer_comparisons_see_smaller_differences(recorded):
    rows = rows_of(recorded, "power_curve")
    for before, after in itertools.pairwise(rows):
        if (before["comparisons"], before["seeds"]) == (after["comparisons"], after["seeds"]):
            assert after["smallest_eci_difference"] < before["smallest_eci_difference"]
    known = {(r["comparisons"], r["seeds"], r["families"]): r["smallest_eci_difference"] for r in rows}
    assert known[1, 1, 36] < known[3, 1, 36]
    assert known[1, 3, 36] < known[1, 1, 36]


def test_the_whole_change_has_happened_at_the_last_turn(recorded):
    rows = rows_of(recorded, "time_course")
    assert {row["turn"] for row in rows} == {0, 1, 2, 3, 4}
    shares = {row["turn"]: row["share_of_change"] for row in rows if row["target"] == "corrector"}
    assert shares[0] == pytest.approx(0)
    assert shares[4] == pytest.approx(1)
    assert all(math.isfinite(row["confidence"]) for row in rows)


@pytest.mark.parametrize("name", NAMES)
def test_a_run_that_says_nothing_is_refused_with_its_name(recorded, tmp_path, name):
    from echosim.inputs import frozen_study, plan

    study = recorded.study
    trials = plan.trials(study, "words")
    with store.open_run(
        tmp_path / "empty", frozen_study.dump(study), trials, dict(recorded.facts), lambda _: []
    ):
        pass
    with pytest.raises(InputError, match="empty"):
        rows_of(Run(tmp_path / "empty"), name)
