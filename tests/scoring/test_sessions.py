"""Curves by session against means taken by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echosim.records import Curve, Transcript
from echosim.scoring.curves import curves
from echosim.scoring.sessions import session_curves
from tests.scoring.synthetic import logit, persona, transcript, trial

PERSONAS = {p.id: p for f in ("a", "b", "c") for p in (persona("holder", f), persona("control", f))}


def talk(stances, beliefs=None, sessions=2, family="a", **how) -> Transcript:
    planned = how.pop("planned", len(stances))
    of = trial(planned, family=family).model_copy(update={"sessions": sessions})
    course = None if beliefs is None else [logit(p) for p in beliefs]
    return transcript(stances, course, of=of, **how)


def values(found: tuple[Curve, ...], quantity: str) -> dict[int, tuple[object, int]]:
    curve = next(curve for curve in found if curve.quantity == quantity)
    return {point.turn: (pytest.approx(point.estimate.value), point.estimate.n) for point in curve.points}


def test_stance_is_the_mean_of_a_session_and_confidence_what_it_ends_with():
    found = session_curves([talk([0.25, 0.75, -0.5, 0.5], [0.6, 0.7, 0.8, 0.5, 0.9])], PERSONAS)
    assert values(found, "stance") == {1: (0.5, 1), 2: (0.0, 1)}
    assert values(found, "confidence") == {0: (0.6, 1), 1: (0.8, 1), 2: (0.9, 1)}


def test_families_are_the_unit():
    talks = [talk([0.5, 0.5]), talk([0.0, 1.0], family="b"), talk([-0.5, 0.0], family="c")]
    first = session_curves(talks, PERSONAS)[0].points[0].estimate
    assert (first.value, first.n) == (0.0, 3)
    assert first.low is not None and first.low < 0 < first.high


def test_one_session_has_no_such_curve():
    assert session_curves([talk([0.5, 0.5], sessions=1)], PERSONAS) == ()
    both = [talk([0.5, 0.5], sessions=1), talk([0.1, 0.3], family="b")]
    assert values(session_curves(both, PERSONAS), "stance") == {1: (0.1, 1), 2: (0.3, 1)}


def test_a_session_that_broke_off_has_a_stance_and_no_end():
    broken = talk([0.5, 0.5, 0.9], [0.6] * 4, planned=4, status="limited", reason="budget")
    found = session_curves([broken], PERSONAS)
    assert values(found, "stance") == {1: (0.5, 1), 2: (0.9, 1)}
    assert set(values(found, "confidence")) == {0, 1}


def test_a_filter_counts_as_silence_up_to_the_last_planned_session():
    refused = talk([0.5, 0.5], [0.6, 0.6, 0.7], planned=4, status="refused", reason="filter")
    found = session_curves([refused], PERSONAS)
    assert values(found, "stance") == {1: (0.5, 1), 2: (0.0, 1)}
    assert values(found, "confidence") == {0: (0.6, 1), 1: (0.7, 1), 2: (0.7, 1)}


def test_a_failed_trial_and_a_contested_claim_do_not_count():
    contested = {p.id: p for p in (persona("holder", "a", truth="contested"),)}
    assert session_curves([talk([0.5, 0.5])], contested) == ()
    assert session_curves([talk([0.5], planned=2, status="failed", reason="x")], PERSONAS) == ()


@given(
    st.lists(st.floats(-1, 1), min_size=2, max_size=8),
    st.lists(st.floats(0.05, 0.95), min_size=9, max_size=9),
)
def test_sessions_of_one_turn_are_turns(stances, beliefs):
    beliefs = beliefs[: len(stances) + 1]
    one = talk(stances, beliefs, sessions=len(stances))
    assert session_curves([one], PERSONAS) == curves([one], PERSONAS)


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=12).filter(lambda found: len(found) % 2 == 0))
def test_the_mean_over_sessions_of_equal_length_is_that_over_turns(stances):
    points = session_curves([talk(stances)], PERSONAS)[0].points
    assert sum(point.estimate.value for point in points) / 2 == pytest.approx(
        sum(stances) / len(stances), abs=1e-9
    )
