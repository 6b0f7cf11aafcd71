"""What every registered metric must hold to, built in or not."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from echosim.protocols import Metric, Missing
from echosim.records import Report, Transcript
from echosim.scoring.transcripts import all_metrics
from tests.scoring.synthetic import persona, reported, transcript, trial

METRICS = all_metrics()
HOLDER = persona()
SWAPPED = {"reinforcement": "correction", "time_to_capture": "time_to_correction"}

shares = st.floats(0, 1)
stances = st.one_of(st.none(), st.floats(-1, 1))
reports = st.one_of(
    st.none(),
    st.builds(Report, private=st.one_of(st.none(), shares), public=shares),
    st.builds(Report, private=shares, public=st.sampled_from([0.55, 0.7, 0.85, 0.95]), voiced=st.just(True)),
)
minds = st.floats(-4.6, 4.6)


@st.composite
def talks(draw: st.DrawFn, stances: st.SearchStrategy[float | None] = stances) -> Transcript:
    said = draw(st.lists(stances, min_size=0, max_size=10))
    status = draw(st.sampled_from(["complete", "limited", "refused"]))
    planned = len(said) if status == "complete" else len(said) + draw(st.integers(0, 3))
    talk = transcript(
        said,
        draw(st.lists(minds, min_size=len(said) + 1, max_size=len(said) + 1)),
        on_topic=draw(st.lists(st.floats(0, 1), min_size=len(said), max_size=len(said))),
        status=status,  # type: ignore[arg-type]
        of=trial(turns=max(planned, 1)),
    )
    return reported(talk, draw(st.lists(reports, min_size=len(said), max_size=len(said))))


def opposite(talk: Transcript) -> Transcript:
    """The same talk with the user's claim and its negation swapped."""
    return transcript(
        [None if t.reading.stance is None else -t.reading.stance for t in talk.turns],
        [-t.before.log_odds for t in talk.turns[:1]] + [-t.after.log_odds for t in talk.turns] or [0.0],
        on_topic=[t.reading.on_topic for t in talk.turns],
        status=talk.status,
        of=talk.trial,
    )


def value(metric: Metric, talk: Transcript) -> float | Missing:
    return metric.compute(talk, HOLDER)


few = settings(max_examples=40)
every_metric = pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)


def test_all_fifteen_are_registered_under_their_own_names():
    assert [metric.name for metric in METRICS] == sorted(metric.name for metric in METRICS)
    assert {
        "late_stance", "belief_change", "net_capture", "mean_stance", "reinforcement", "correction",
        "contradicted", "evasion", "drift_slope", "turn_of_flip", "flips", "time_to_capture",
        "time_to_correction", "coupling", "surface_gap",
    } <= {metric.name for metric in METRICS}  # fmt: skip


@every_metric
@few
@given(talk=talks())
def test_a_value_is_finite_and_within_bounds(metric: Metric, talk: Transcript):
    result = value(metric, talk)
    if isinstance(result, Missing):
        assert result.reason
    else:
        assert math.isfinite(result)
        assert metric.low is None or result >= metric.low
        assert metric.high is None or result <= metric.high


@every_metric
@few
@given(talk=talks())
def test_a_failed_trial_has_no_value_and_says_why(metric: Metric, talk: Transcript):
    failed = talk.model_copy(update={"status": "failed", "reason": "server down"})
    assert value(metric, failed) == Missing("trial failed: server down")


@every_metric
@pytest.mark.parametrize("status", ["complete", "limited"])
def test_a_talk_without_turns_has_no_value(metric: Metric, status: str):
    assert value(metric, transcript([], [1.0], status=status)) == Missing("no reply")  # type: ignore[arg-type]


@pytest.mark.parametrize("metric", [m for m in METRICS if m.antisymmetric], ids=lambda metric: metric.name)
@few
@given(talk=talks())
def test_swapping_claim_and_negation_flips_the_sign(metric: Metric, talk: Transcript):
    here, there = value(metric, talk), value(metric, opposite(talk))
    if isinstance(here, Missing):
        assert there == here
    else:
        assert there == pytest.approx(-here, abs=1e-9)


@pytest.mark.parametrize(("one", "two"), SWAPPED.items(), ids=SWAPPED)
@few
@given(talk=talks())
def test_swapping_claim_and_negation_swaps_these_two(one: str, two: str, talk: Transcript):
    by_name = {metric.name: metric for metric in METRICS}
    start = talk.turns[0].before.confidence if talk.turns else 0.5
    for turn in talk.turns:  # a tie may fall on either side of a threshold, by rounding
        assume(abs((1 - turn.after.confidence) - (1 - start) / 2) > 1e-9)
        assume(abs(turn.after.confidence - start / 2) > 1e-9)
    here, there = value(by_name[one], talk), value(by_name[two], opposite(talk))
    if isinstance(here, Missing):
        assert isinstance(there, Missing)
    else:
        assert there == pytest.approx(here)


@every_metric
@few
@given(talk=talks(st.floats(-1, 1)))
def test_only_readings_and_states_count(metric: Metric, talk: Transcript):
    turns = tuple(
        turn.model_copy(update={"user": "Else!", "reply": "I agree.", "act": "doubt", "side": -1})
        for turn in talk.turns
    )
    elsewhere = talk.model_copy(
        update={
            "turns": turns,
            "returned_model": "renamed",
            "trial": talk.trial.model_copy(
                update={"id": "other", "target": "sycophant", "arm": "citizen", "seed": 99}
            ),
        }
    )
    for speaker in (HOLDER, persona("control", "f77", severity=5)):
        assert metric.compute(elsewhere, speaker) == value(metric, talk)


@every_metric
@given(count=st.integers(1, 6))
def test_replies_without_a_stance_are_not_zero(metric: Metric, count: int):
    by_belief = {"belief_change", "time_to_capture", "time_to_correction"}
    result = value(metric, transcript([None] * count))
    if metric.name not in by_belief:
        assert isinstance(result, Missing)
        assert re.search(rf"\b{count}\b", result.reason)
