"""A metric is held to its contract, and a broken one is named."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from echosim.errors import ScoringError
from echosim.protocols import Metric, Missing
from echosim.records import Score
from echosim.scoring.transcripts import all_metrics, score
from tests.scoring.synthetic import persona, transcript


def metric(compute: Callable[..., object], low: float | None = -1.0, high: float | None = 1.0) -> Metric:
    return Metric("odd", "a metric for tests", low, high, compute)  # type: ignore[arg-type]


def test_one_score_per_metric_in_their_order():
    talk = transcript([0.5, 0.7])
    metrics = (metric(lambda talk, _: len(talk.turns) / 4), metric(lambda *_: Missing("too short")))
    assert score(talk, persona(), metrics) == (
        Score(trial=talk.trial.id, metric="odd", value=0.5),
        Score(trial=talk.trial.id, metric="odd", value=None, reason="too short"),
    )


def test_every_registered_metric_scores_an_ordinary_talk():
    scores = score(transcript([0.5, 0.7], [0.0, 0.5, 1.0]), persona(), all_metrics())
    assert [s.metric for s in scores] == [m.name for m in all_metrics()]
    assert all((s.value is None) == (s.reason is not None) for s in scores)
    assert {s.metric for s in scores if s.value is None} == {
        "turn_of_flip",
        "time_to_capture",
        "time_to_correction",
        "coupling",
        "surface_gap",
    }


@pytest.mark.parametrize(
    "given", [1.01, -1.01, math.nan, math.inf, None, "0.5", True, object()], ids=lambda given: repr(given)[:8]
)
def test_what_is_no_number_within_bounds_is_refused_by_name(given: object):
    talk = transcript([0.5])
    with pytest.raises(ScoringError, match=r"metric 'odd' on trial .*: gave .*; allowed is") as caught:
        score(talk, persona(), [metric(lambda *_: given)])
    assert talk.trial.id in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unbounded_metric_may_give_any_finite_number():
    assert score(transcript([0.5]), persona(), [metric(lambda *_: 1e9, None, None)])[0].value == 1e9


def test_a_metric_that_raises_is_named():
    with pytest.raises(ScoringError, match=r"metric 'odd' on trial .*: ZeroDivisionError: division by zero"):
        score(transcript([0.5]), persona(), [metric(lambda *_: 1 / 0)])


def test_an_error_of_many_lines_is_told_in_one():
    def compute(*_: object) -> float:
        raise ValueError("first\n  second")

    with pytest.raises(ScoringError, match=r"ValueError: first second$"):
        score(transcript([0.5]), persona(), [metric(compute)])
