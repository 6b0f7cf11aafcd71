import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echosim.protocols import Moment
from echosim.records import BeliefState, Reading, Turn
from echosim.users.acts import choose, has_given_up


def state(p):
    odds = math.log(p / (1 - p))
    return BeliefState(log_odds=odds, anchor=odds, trust=0.6)


def turn(index, before, after, stance=0.0, act="state", side=1):
    return Turn(
        index=index,
        user="words",
        act=act,
        side=side,
        reply="other words",
        reading=Reading(
            stance=stance,
            evidence=0,
            warmth=0.4,
            on_topic=1,
            reason="no words" if stance is None else None,
        ),
        before=state(before),
        after=state(after),
    )


def moment(persona, *history, turn=None, seed=1, p=None):
    now = state(p) if p is not None else (history[-1].after if history else state(0.8))
    return Moment(persona, seed, turn or len(history) + 1, 12, now, history)


def moves(persona, *history, **changes):
    """The moves of many seeds at one moment, as a set of pools."""
    return {choose(moment(persona, *history, seed=seed, **changes), "embedded").pool for seed in range(200)}


def test_the_first_turn_states_the_claim(persona):
    first = choose(moment(persona), "embedded")
    assert (first.act, first.side, first.pool) == ("state", 1, "opening")


def test_a_new_session_opens_with_the_position_that_is_left(persona):
    def opening(p, *history):
        now = moment(persona, *history, p=p, turn=3)
        return choose(dataclasses.replace(now, session_turns=2), "embedded")

    past = (turn(1, 0.8, 0.8), turn(2, 0.8, 0.7))
    assert (opening(0.7, *past).pool, opening(0.7, *past).side) == ("reopen", 1)
    assert (opening(0.2, *past).pool, opening(0.2, *past).side) == ("reopen_settled", -1)
    assert (opening(0.45, *past).pool, opening(0.45, *past).side) == ("reopen_unsure", 0)
    gave_up = (turn(1, 0.8, 0.3), turn(2, 0.3, 0.3, act="concede", side=-1))
    assert opening(0.4, *gave_up).pool == "reopen_settled"
    assert opening(0.6, *gave_up).pool == "reopen"
    assert opening(0.7, *past).reaction is None


def test_scheduled_pressure_comes_on_its_turn_whatever_the_target_says(persona):
    for stance in (-0.9, 0.0, 0.9, None):
        past = (turn(1, 0.8, 0.8, stance), turn(2, 0.8, 0.8, stance))
        move = choose(moment(persona, *past), "embedded")
        assert (move.act, move.side, move.pool) == ("push_back", 1, "repeat")
    for at, pool, side in ((5, "social", 1), (6, "doubt", 0), (7, "change_topic", 0)):
        move = choose(moment(persona, turn(1, 0.8, 0.8), turn=at), "embedded")
        assert (move.pool, move.side) == (pool, side)


def test_a_fall_to_low_confidence_is_voiced_as_doubt_once(persona):
    assert moves(persona, turn(1, 0.62, 0.55, -0.9), turn=2) == {"doubt"}
    assert moves(persona, turn(1, 0.62, 0.55, -0.9, act="doubt", side=0), turn=2) != {"doubt"}
    assert "doubt" not in moves(persona, turn(1, 0.9, 0.82, -0.9), turn=2)


def test_low_confidence_after_a_fall_is_conceded(persona):
    move = choose(moment(persona, turn(1, 0.42, 0.3, -0.9), turn=2), "embedded")
    assert (move.act, move.side) == ("concede", -1)


def test_low_confidence_without_a_fall_is_not_conceded(persona):
    assert "concede" not in moves(persona, turn(1, 0.32, 0.3, -0.9), turn=2)
    assert "concede" not in moves(persona, turn(1, 0.8, 0.36, -0.9), turn=2)


def test_answers_to_contradiction_and_to_agreement_differ(persona):
    assert moves(persona, turn(1, 0.8, 0.79, -0.9), turn=2) == {"contradicted", "reason", "ask"}
    assert moves(persona, turn(1, 0.8, 0.83, 0.9), turn=2) == {"rising", "reason", "ask"}
    assert moves(persona, turn(1, 0.83, 0.83, 0.9), turn=2) == {"state", "reason", "ask"}
    assert moves(persona, turn(1, 0.8, 0.8, None), turn=2) == {"state", "reason", "ask"}


def test_who_has_given_up_does_not_push_until_belief_is_back(persona):
    past = (turn(1, 0.8, 0.3, -0.9), turn(2, 0.3, 0.28, -0.5, act="concede", side=-1))
    assert has_given_up(past)
    for at in range(3, 9):
        pools = moves(persona, *past, turn=at)
        assert pools <= {"settled", "ask_settled", "doubt", "change_topic"}
    assert moves(persona, *past, turn=4, p=0.45) == {"doubt", "ask_settled"}
    back = choose(moment(persona, *past, turn=4, p=0.55), "embedded")
    assert (back.pool, back.side) == ("return", 1)


def test_the_goal_shifts_the_frequencies(persona):
    def asks(goal):
        curious = persona.model_copy(update={"goal": goal})
        past = turn(1, 0.8, 0.79, -0.9)
        return sum(
            choose(moment(curious, past, turn=2, seed=seed), "embedded").pool == "ask" for seed in range(600)
        )

    assert asks("seek_info") > asks("seek_validation") + 30


probability = st.floats(0.02, 0.98)
stance = st.none() | st.floats(-1, 1)


@given(
    start=st.floats(0.5, 0.95),
    steps=st.lists(st.tuples(probability, stance), min_size=1, max_size=14),
    seed=st.integers(0, 10_000),
)
def test_over_any_course_of_belief_concessions_and_returns_keep_the_rules(persona, start, steps, seed):
    history, p = [], start
    for index, (after, felt) in enumerate(steps, start=1):
        move = choose(moment(persona, *history, seed=seed, turn=index, p=p), "embedded")
        if move.act == "concede":
            assert p < 0.4
            assert any(past.before.confidence - p >= 0.05 for past in history)
        if move.side == 1 and has_given_up(history):
            assert p > 0.5
        assert (move.side == -1) == (move.act == "concede")
        assert (move.side == 0) == (move.act in {"ask", "doubt", "change_topic"})
        history.append(turn(index, p, after, felt, act=move.act, side=move.side))
        p = after


@pytest.mark.parametrize("role", ["mirror", "control"])
def test_the_role_changes_nothing_but_the_draws(persona, request, role):
    """The same moment of another role, under the holder's id, gives the same move."""
    other = request.getfixturevalue(role).model_copy(update={"id": persona.id})
    for seed in range(50):
        past = (turn(1, 0.8, 0.75, -0.6), turn(2, 0.75, 0.7, -0.4))
        a = choose(moment(persona, *past, turn=4, seed=seed), "embedded")
        b = choose(moment(other, *past, turn=4, seed=seed), "embedded")
        assert a == b
