"""Curves by turn against means taken by hand."""

from __future__ import annotations

import gc
import random
import weakref
from collections.abc import Iterator

import pytest
from scipy import stats

from echosim.errors import ScoringError
from echosim.records import Curve, Transcript
from echosim.scoring.curves import curves
from tests.scoring.synthetic import logit, persona, transcript, trial

PERSONAS = {
    p.id: p for f in ("a", "b", "c") for p in (persona(role, f) for role in ("holder", "mirror", "control"))
}


def values(found: tuple[Curve, ...], quantity: str) -> dict[int, tuple[float | None, int]]:
    curve = next(curve for curve in found if curve.quantity == quantity)
    return {point.turn: (point.estimate.value, point.estimate.n) for point in curve.points}


def test_a_point_is_the_mean_of_family_means_with_its_t_interval():
    talks = [
        transcript([0.25, 0.5], of=trial(2, family="a", seed=1)),
        transcript([0.75, 0.5], of=trial(2, family="a", seed=2)),
        transcript([-0.5, 0.0], of=trial(2, family="b")),
        transcript([0.0, 0.25], of=trial(2, family="c")),
    ]
    stance = curves(talks, PERSONAS)[0]
    assert [point.turn for point in stance.points] == [1, 2]
    first = stance.points[0].estimate
    means = [0.5, -0.5, 0.0]
    low, high = stats.t.interval(0.95, 2, loc=0, scale=stats.sem(means))
    assert (first.value, first.n) == (0.0, 3)
    assert (first.low, first.high) == (max(low, -1), min(high, 1))
    assert stance.points[1].estimate.value == pytest.approx(0.25)


def test_confidence_starts_before_the_first_reply():
    talks = [
        transcript([0.5], [logit(0.8), logit(0.9)], of=trial(1, family="a")),
        transcript([0.5], [logit(0.6), logit(0.5)], of=trial(1, family="b")),
    ]
    found = values(curves(talks, PERSONAS), "confidence")
    assert found == {0: (pytest.approx(0.7), 2), 1: (pytest.approx(0.7), 2)}


def test_one_family_has_no_ribbon():
    (point,) = curves([transcript([0.5])], {"f01-holder": persona()})[0].points
    assert (point.estimate.value, point.estimate.low, point.estimate.reason) == (0.5, None, "one family")


def test_statuses_failed_refused_limited():
    talks = [
        transcript([0.9] * 3, [logit(0.5)] * 4, status="failed", reason="x", of=trial(3, family="a")),
        transcript([0.5], [logit(0.6), logit(0.7)], status="refused", of=trial(3, family="b")),
        transcript([0.5], [logit(0.6), logit(0.7)], status="limited", of=trial(3, family="c")),
    ]
    found = curves(talks, PERSONAS)
    assert values(found, "stance") == {1: (0.5, 2), 2: (0.0, 1), 3: (0.0, 1)}
    assert values(found, "confidence") == {
        0: (pytest.approx(0.6), 2), 1: (pytest.approx(0.7), 2),
        2: (pytest.approx(0.7), 1), 3: (pytest.approx(0.7), 1),
    }  # fmt: skip


def test_a_reply_without_words_is_a_gap_in_stance_but_not_in_confidence():
    talk = transcript([0.5, None, 0.5], of=trial(3, family="a"))
    found = curves([talk], PERSONAS)
    assert list(values(found, "stance")) == [1, 3]
    assert list(values(found, "confidence")) == [0, 1, 2, 3]


def test_contested_claims_are_left_out():
    talk = transcript([0.5], of=trial(1, family="a"))
    assert curves([talk], {"a-holder": persona("holder", "a", truth="contested")}) == ()


def test_cells_and_roles_have_their_own_curves_in_a_fixed_order():
    talks = [
        transcript([0.5], of=trial(1, role, "a", target))  # type: ignore[arg-type]
        for target in ("z", "y") for role in ("control", "holder")
    ]  # fmt: skip
    assert [(c.target, c.role, c.quantity) for c in curves(talks, PERSONAS)] == [
        ("y", "holder", "stance"), ("y", "holder", "confidence"),
        ("y", "control", "stance"), ("y", "control", "confidence"),
        ("z", "holder", "stance"), ("z", "holder", "confidence"),
        ("z", "control", "stance"), ("z", "control", "confidence"),
    ]  # fmt: skip


def test_an_unknown_persona_is_named():
    with pytest.raises(ScoringError, match="persona 'q-holder' is not among those given"):
        curves([transcript([0.5], of=trial(1, family="q"))], PERSONAS)


def test_order_of_transcripts_changes_no_bit():
    draw = random.Random(5)
    talks = [
        transcript([draw.uniform(-1, 1)] * 2, [draw.gauss(0, 1)] * 3, of=trial(2, family=f, seed=s))
        for f in ("a", "b", "c") for s in range(9)
    ]  # fmt: skip
    before = curves(talks, PERSONAS)
    draw.shuffle(talks)
    assert curves(talks, PERSONAS) == before


def test_transcripts_are_not_held():
    seen: list[weakref.ref[Transcript]] = []

    def stream() -> Iterator[Transcript]:
        for seed in range(20):
            gc.collect()
            assert sum(ref() is not None for ref in seen) <= 1
            talk = transcript([0.5], of=trial(1, family="a", seed=seed))
            seen.append(weakref.ref(talk))
            yield talk

    assert curves(stream(), PERSONAS)
    assert len(seen) == 20
