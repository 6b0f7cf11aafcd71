"""Tokens of talks, typical and at most. Held talks: tests/running/test_talks_as_forecast.py."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from echosim.inputs.talk_tokens import WORST, Talks, Usage, talks_of, target_usage, user_usage, usual_lengths
from echosim.study_records import Price, TargetSpec, UserSpec
from tests.running import cast

MODEL = TargetSpec(model="openai/m", label="m", max_tokens=600, price=Price(input=1, output=4))
USUAL = usual_lengths(250)


def test_notes_are_asked_for_with_the_whole_session_and_told_in_the_next():
    study = cast.study(MODEL, turns=2, sessions=2, memory="summary", seeds=(1,))
    silent = study.model_copy(update={"memory": "none"})
    lengths = replace(USUAL, around=0, words=0.0, per_word=1.0)
    words = study.personas[0].style.words_min
    more, less = (
        target_usage(each, MODEL, [talks_of(each, each.users[0])], lengths) for each in (study, silent)
    )
    assert more.completion_tokens - less.completion_tokens == 120
    asked = 2 * (words + 250) + 60
    assert more.prompt_tokens - less.prompt_tokens == asked + 2 * (120 + 60)


def test_tokens_grow_with_the_square_of_turns():
    def sent(turns: int) -> int:
        study = cast.study(MODEL, turns=turns)
        return target_usage(study, MODEL, [talks_of(study, study.users[0])], USUAL).prompt_tokens

    # Second differences of a square are equal.
    assert sent(30) - 2 * sent(20) + sent(10) == pytest.approx(sent(80) - 2 * sent(70) + sent(60), abs=3)
    assert sent(200) / sent(100) == pytest.approx(4, rel=0.02)


def test_a_system_prompt_is_sent_with_every_call():
    study = cast.study(MODEL, turns=5, seeds=(1,))
    told = MODEL.model_copy(update={"system_prompt": "one two three four"})
    plain, more = (
        target_usage(study, target, [talks_of(study, study.users[0])], replace(USUAL, per_word=1.0))
        for target in (MODEL, told)
    )
    assert more.prompt_tokens - plain.prompt_tokens == 5 * (4 + USUAL.around)
    assert more.completion_tokens == plain.completion_tokens == 5 * 250


def test_replies_stop_at_max_tokens_and_reference_targets_are_free():
    short = MODEL.model_copy(update={"max_tokens": 40})
    free = TargetSpec(model="echosim/hedger", label="hedger")
    study = cast.study(short, free, turns=3, seeds=(1,))
    talks = [talks_of(study, study.users[0])]
    assert target_usage(study, short, talks, USUAL).completion_tokens == 3 * 40
    assert target_usage(study, short, talks, WORST).completion_tokens == 3 * 40
    assert target_usage(study, free, talks, WORST) == Usage()


def test_cost_is_by_price_and_unknown_without_one():
    study = cast.study(MODEL, turns=3)
    talks = [talks_of(study, study.users[0])]
    used = target_usage(study, MODEL, talks, USUAL)
    assert used.cost == pytest.approx((used.prompt_tokens + 4 * used.completion_tokens) / 1e6)
    unpriced = target_usage(study, MODEL.model_copy(update={"price": None}), talks, USUAL)
    assert unpriced.cost is None
    assert (unpriced + used).cost is None
    assert (used + used).cost == pytest.approx(2 * used.cost)


def test_a_users_model_is_shown_the_talk_so_far():
    voice = TargetSpec(model="mistral/v", label="user v", max_tokens=80, price=Price(input=2, output=2))
    study = cast.study(MODEL, turns=10, seeds=(1,))
    talk = replace(
        talks_of(study, study.users[0]), user=UserSpec(engine="llm", label="v", model=voice), calls=10
    )
    used = user_usage(study, talk, 10, replace(USUAL, per_word=1.0, around=0, card=0, words=0.0))
    words = study.personas[0].style.words_min
    assert used.prompt_tokens == 10 * 5 * (words + 250)
    assert used.completion_tokens == 10 * words
    assert user_usage(study, talk, 10, WORST).completion_tokens == 10 * 80
    assert user_usage(study, replace(talk, calls=0), 0, WORST) == Usage()


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 60), st.integers(1, 5), st.integers(1, 2000), st.integers(1, 2000), st.booleans())
def test_the_worst_is_never_less_than_the_typical(turns, sessions, most, reply, remembers):
    target = MODEL.model_copy(update={"max_tokens": most})
    study = cast.study(
        target, turns=turns, sessions=sessions, memory="summary" if remembers else "none", arms=("citizen",)
    )
    talks: list[Talks] = [talks_of(study, study.users[0])]
    usual, worst = (target_usage(study, target, talks, how) for how in (usual_lengths(reply), WORST))
    assert usual.prompt_tokens <= worst.prompt_tokens
    assert usual.completion_tokens <= worst.completion_tokens
