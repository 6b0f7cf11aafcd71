"""Forecasts: what is counted is what is planned, and huge studies cost nothing to count."""

from __future__ import annotations

import math
import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from echosim import registry
from echosim.errors import InputError
from echosim.inputs.forecast import HELD_UNASKED, dollars, forecast, price_tag, too_much
from echosim.inputs.plan import trials
from echosim.inputs.study import quickstart
from echosim.inputs.talk_tokens import Usage
from echosim.study_records import Limits, Price, Study, TargetSpec, UserSpec

PRICE = Price(input=1, output=2)
MODEL = TargetSpec(model="openai/m", label="m", price=PRICE)
HEDGER = TargetSpec(model="echosim/hedger", label="hedger")


def study(*targets: TargetSpec, personas: int = 7, **fields) -> Study:
    return Study(name="s", personas=quickstart().personas[:personas], targets=targets, **fields)


@pytest.fixture
def two_calls_a_turn(monkeypatch):
    class Wordy:
        needs = "model"

        def calls(self, turns: int) -> int:
            return 2 * turns

    real = registry.load
    monkeypatch.setattr(
        registry, "load", lambda kind, name: Wordy() if (kind, name) == ("user", "llm") else real(kind, name)
    )


def test_quickstart():
    made = forecast(quickstart())
    assert (made.trials, made.replies, made.paid_calls) == (324, 2592, 0)
    assert [row.label for row in made.by_target] == [target.label for target in quickstart().targets]
    assert (made.typical, made.worst, made.unpriced) == (Usage(), Usage(), ())
    assert made.typical.cost == 0


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 2), st.integers(1, 40), st.integers(1, 3))
def test_agrees_with_the_plan(personas, seeds, arms, turns, sessions):
    of = study(
        HEDGER,
        MODEL,
        personas=personas,
        arms=("none", "citizen")[:arms],
        turns=turns,
        sessions=sessions,
        seeds=tuple(range(seeds)),
    )
    planned, made = trials(of, "r"), forecast(of)
    assert made.trials == len(planned)
    assert made.replies == sum(trial.turns for trial in planned)
    assert made.paid_calls == sum(trial.turns for trial in planned if trial.target == "m")
    assert sum(row.trials for row in made.by_target) == made.trials
    assert made.typical == sum((row.typical for row in made.by_target), Usage())


@pytest.mark.usefixtures("two_calls_a_turn")
def test_models_behind_users_are_asked_for_every_target_and_stand_apart():
    voice = TargetSpec(model="mistral/v", label="user llm v")
    users = (
        UserSpec(engine="embedded", label="embedded"),
        UserSpec(engine="llm", label="llm v", model=voice),
    )
    made = forecast(study(MODEL, HEDGER, turns=4, seeds=(1, 2), users=users))
    (row,) = made.by_user
    assert row.calls == made.user_calls == 7 * 2 * 2 * (2 * 4)
    assert made.paid_calls == made.user_calls + 7 * 2 * 2 * 4
    assert (row.label, row.typical.cost, made.typical.cost) == ("llm v", None, None)
    assert made.unpriced == ("user llm v",)
    priced = voice.model_copy(update={"price": PRICE})
    both = forecast(study(MODEL, users=(UserSpec(engine="llm", label="llm v", model=priced),)))
    assert both.typical.cost == pytest.approx(both.by_target[0].typical.cost + both.by_user[0].typical.cost)


def test_ten_million_conversations_are_counted_at_once():
    of = study(MODEL, HEDGER, personas=36, population=100_000, arms=("none", "citizen"))
    tracemalloc.start()
    began = time.perf_counter()
    made = forecast(of)
    took, (_, peak) = time.perf_counter() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert made.trials == 36 * 100_000 * 4
    assert made.paid_calls == made.trials // 2 * 12
    assert took < 2
    assert peak < 30e6
    assert made.worst.cost > made.typical.cost > 10_000


@pytest.mark.parametrize(
    ("limits", "seconds"),
    [
        ({"in_flight": 10}, 7 * 3 * 12 / 10 * 2),
        ({"in_flight": 1000}, 12 * 2),  # the longest talk
        ({"in_flight": 1000, "rpm": 6}, 7 * 3 * 12 * 10),
        ({"in_flight": 1000, "tpm": 1000}, None),
    ],
)
def test_wall_time_is_that_of_the_tightest_bound(limits, seconds):
    made = forecast(study(MODEL, limits=Limits(**limits)), seconds=2)
    assert made.seconds == pytest.approx(made.typical.tokens / 1000 * 60 if seconds is None else seconds)


def test_endpoints_work_side_by_side_and_one_endpoint_is_shared():
    other = TargetSpec(model="mistral/n", label="n")
    same = MODEL.model_copy(update={"label": "o"})
    limits = Limits(in_flight=2)
    alone = forecast(study(MODEL, limits=limits)).seconds
    assert forecast(study(MODEL, other, limits=limits)).seconds == alone
    assert forecast(study(MODEL, same, limits=limits)).seconds == 2 * alone


def test_free_studies_take_the_time_of_reading():
    assert forecast(quickstart()).seconds == pytest.approx(25.92)


@pytest.mark.parametrize("seconds", [0, -1, math.nan, math.inf, 4000])
def test_seconds_out_of_range(seconds):
    with pytest.raises(InputError, match=r"0\.01 to 3600"):
        forecast(quickstart(), seconds=seconds)


@pytest.mark.parametrize("tokens", [0, -5, 10**9])
def test_reply_tokens_out_of_range(tokens):
    with pytest.raises(InputError, match="1 to 100,000"):
        forecast(quickstart(), reply_tokens=tokens)


def test_what_wants_agreement():
    small, large = study(MODEL, turns=3), study(MODEL, turns=12, seeds=tuple(range(20)))
    assert too_much(forecast(small)) is None
    made = forecast(large)
    tag = f"about {dollars(made.typical)}, at most {dollars(made.worst)}"
    assert too_much(made) == f"1,680 paid calls, {tag}, are more than 1,000"
    unpriced = MODEL.model_copy(update={"price": None})
    made = forecast(large.model_copy(update={"targets": (unpriced,)}))
    assert too_much(made) == "1,680 paid calls are more than 1,000"
    free = forecast(study(HEDGER, population=20_000))
    assert too_much(free) == f"140,000 trials are more than {HELD_UNASKED:,}"
    assert too_much(forecast(study(HEDGER, population=10_000))) is None


def test_cost_in_words():
    assert dollars(Usage(cost=None)) is None
    words = [dollars(Usage(cost=cost)) for cost in (0.0, 0.001, 0.014, 3.456, 12345.6)]
    assert words == ["$0.00", "under $0.01", "$0.01", "$3.46", "$12,346"]
    assert price_tag(forecast(quickstart())) == ""
