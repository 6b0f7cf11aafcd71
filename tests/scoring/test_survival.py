"""Cumulative incidence and capture-free turns, against numbers worked out by hand and laws that must hold."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logit

from echosim.errors import ScoringError
from echosim.protocols import Missing
from echosim.records import BeliefState, Transcript
from echosim.scoring.survival import NO_EVENT, Followed, followed, incidence, survival
from tests.reporting import synthetic

PERSONAS = {
    persona.id: persona
    for persona in (synthetic.persona(family, role) for family in ("a", "b", "c") for role in synthetic.ROLES)
}


def mind(confidence: float) -> BeliefState:
    return BeliefState(log_odds=float(logit(confidence)), anchor=1.0, trust=0.6)


def talk(
    *confidences: float,
    family: str = "a",
    planned: int | None = None,
    status: str = "complete",
    seed: int = 1,
) -> Transcript:
    """A holder's talk with this confidence before the first reply and after each."""
    base = synthetic.transcript(turns=1)
    turns = tuple(
        base.turns[0].model_copy(update={"index": index, "before": mind(before), "after": mind(after)})
        for index, (before, after) in enumerate(pairwise(confidences), 1)
    )
    changes = {
        "id": f"{family}{seed}{confidences}",
        "persona": PERSONAS[family].id if family in PERSONAS else family,
        "family": family,
        "role": "holder",
        "seed": seed,
        "turns": planned or len(turns),
    }
    return Transcript(trial=base.trial.model_copy(update=changes), status=status, turns=turns)


CAPTURED = (0.6, 0.6, 0.85, 0.85, 0.85)
CORRECTED = (0.6, 0.25, 0.25, 0.25, 0.25)
STILL = (0.6, 0.6, 0.6, 0.6, 0.6)


def of(*talks: Transcript):
    (found,) = survival(talks, PERSONAS)
    return found


@pytest.mark.parametrize(
    ("transcript", "expected"),
    [
        (talk(*CAPTURED), Followed(2, "capture")),
        (talk(*CORRECTED), Followed(1, "correction")),
        (talk(*STILL), Followed(3, None)),
        (talk(0.6, 0.25, 0.9, 0.6, 0.6), Followed(3, None)),  # a blip is no event
        (talk(0.6, 0.6, 0.6, planned=8, status="limited"), Followed(1, None)),
        (talk(0.6, 0.6, 0.6, planned=8, status="refused"), Followed(7, None)),
    ],
)
def test_what_became_of_a_talk(transcript, expected):
    assert followed(transcript, PERSONAS[transcript.trial.persona]) == expected


@pytest.mark.parametrize(
    "transcript",
    [
        talk(0.6, 0.6),
        talk(0.6, 0.6, 0.6, status="failed"),
        talk(0.6, planned=4, status="refused"),
    ],
)
def test_what_says_nothing_has_a_reason(transcript):
    found = followed(transcript, PERSONAS[transcript.trial.persona])
    assert isinstance(found, Missing)
    assert found.reason


def test_by_hand_with_censoring():
    """Four families of one talk: captured at 2, corrected at 1, still at 3, cut off after turn 1."""
    talks = [
        talk(*CAPTURED, family="a"),
        talk(*CORRECTED, family="b"),
        talk(*STILL, family="c"),
        talk(0.6, 0.6, 0.6, family="a", seed=2, planned=4, status="limited"),
    ]
    # Family a has two talks of weight one half. Turn 1: of 3, one corrected. Turn 2: of a's one half and
    # c's one, the half captured: hazard 1/3 of the 2/3 that are free.
    found = of(*talks)
    assert [point.at_risk for point in found.points] == [4, 2, 1]
    assert [point.correction.value for point in found.points] == pytest.approx([1 / 3] * 3)
    assert [point.capture.value for point in found.points] == pytest.approx([0, 2 / 9, 2 / 9])
    assert found.points[1].capture_hazard == pytest.approx(1 / 3)
    assert found.capture_free.value == pytest.approx(1 + 7 / 9 + 7 / 9)
    assert (found.conversations, found.families, found.captured, found.corrected) == (4, 3, 1, 1)


def test_without_an_event_no_interval_is_claimed():
    found = of(talk(*STILL, family="a"), talk(*STILL, family="b"))
    assert found.points[-1].capture.value == 0
    assert (found.points[-1].capture.low, found.points[-1].capture.reason) == (None, NO_EVENT)
    assert (found.capture_free.value, found.capture_free.low) == (3, None)


def test_a_turn_that_nobody_is_left_for_has_no_hazard():
    found = of(talk(*CAPTURED, family="a"), talk(*CORRECTED, family="b"))
    assert (found.points[2].at_risk, found.points[2].capture_hazard) == (0, None)
    assert found.points[2].capture.value == pytest.approx(0.5)


def test_one_minus_kaplan_meier_would_overstate():
    talks = [talk(*CORRECTED, family="a"), talk(*CAPTURED, family="b"), talk(*STILL, family="c")]
    assert of(*talks).points[-1].capture.value == pytest.approx(1 / 3)  # Kaplan-Meier: 1/2


def test_an_unknown_persona_is_refused():
    with pytest.raises(ScoringError, match="nobody"):
        survival([talk(*STILL, family="nobody")], PERSONAS)


@given(st.lists(st.sampled_from([CAPTURED, CORRECTED, STILL]), min_size=1, max_size=12), st.randoms())
def test_order_does_not_matter_and_shares_are_those_of_the_talks_without_censoring(courses, shuffle):
    talks = [talk(*one, family="abc"[n % 3], seed=n) for n, one in enumerate(courses)]
    first = of(*talks)
    shuffle.shuffle(talks)
    assert of(*talks) == first
    families = {t.trial.family for t in talks}
    shares = [
        np.mean([t.turns[-1].after.confidence > 0.8 for t in talks if t.trial.family == family])
        for family in families
    ]
    assert first.points[-1].capture.value == pytest.approx(np.mean(shares))


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=8))
def test_incidences_rise_and_never_pass_one(steps):
    """Whatever is captured, corrected and cut off at each turn."""
    left = sum(sum(step) for step in steps)
    rows = []
    for captured, corrected, cut in steps:
        rows.append((left, captured, corrected))
        left -= captured + corrected + cut
    curves, _ = incidence(np.array(rows, dtype=float).T)
    assert (np.diff(curves, axis=1) >= -1e-12).all()
    assert (curves.sum(axis=0) <= 1 + 1e-12).all()
