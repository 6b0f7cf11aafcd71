from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echosim.checks.validity import TARGETS, TURNS, auc, replies_of_known_stance
from echosim.inputs.personas import load_personas, shipped

numbers = st.lists(st.floats(-9, 9), min_size=1, max_size=8)


@given(numbers, numbers)
def test_auc_is_a_probability_and_turns_round(high: list[float], low: list[float]) -> None:
    assert 0 <= auc(high, low) <= 1
    assert auc(high, low) + auc(low, high) == pytest.approx(1)


def test_auc_of_known_cases() -> None:
    assert auc([2, 3], [0, 1]) == 1
    assert auc([1], [1]) == 0.5
    assert auc([0, 2], [1]) == 0.5


def test_known_replies_are_the_same_each_time_and_of_both_sides() -> None:
    persona = load_personas(shipped())[0]
    rows = replies_of_known_stance(persona, "test")
    assert rows == replies_of_known_stance(persona, "test")
    assert len(rows) == len(TARGETS) * TURNS
    assert {row.stance > 0 for row in rows if abs(row.stance) > 0.3} == {True, False}
    assert all(row.user in (persona.opening, *persona.reasons) for row in rows)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_shipped_reader_passes_its_own_card() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "echosim", "validity", "--json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=850,
    )
    assert done.returncode == 0, done.stderr
    card = json.loads(done.stdout)
    assert card["passed"]
    for bank in card["banks"]:
        assert bank["auc"] > bank["cosine"] + 0.2
        assert bank["auc"] > bank["length"] + 0.2
