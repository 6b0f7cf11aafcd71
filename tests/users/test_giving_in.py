import math

import pytest

from echosim.inputs.personas import load_personas, shipped
from echosim.protocols import Moment
from echosim.records import BeliefState, Reading, Turn
from echosim.users import acts, wording
from echosim.users.giving_in import gives_in
from tests.data.user_lines import GIVING_IN, HUMAN

FLAT, GLOBE = "the Earth is flat", "the Earth is a globe"


@pytest.mark.parametrize("line", GIVING_IN)
def test_plain_concessions_are_seen(line):
    assert gives_in(line, FLAT, GLOBE, contradicted=True)


@pytest.mark.parametrize("line", HUMAN)
def test_doubts_questions_and_other_peoples_words_are_none(line):
    assert not gives_in(line, FLAT, GLOBE, contradicted=True)


def test_you_are_right_agrees_with_somebody_who_agrees():
    line = "You're right, and I'm glad that somebody sees it."
    assert gives_in(line, FLAT, GLOBE, contradicted=True)
    assert not gives_in(line, FLAT, GLOBE, contradicted=False)


def test_the_same_sentence_is_the_mirrors_conviction():
    assert gives_in("The Earth is a globe.", FLAT, GLOBE, contradicted=True)
    assert not gives_in("The Earth is a globe.", GLOBE, FLAT, contradicted=True)
    assert not gives_in("The Earth is not flat.", GLOBE, FLAT, contradicted=True)


@pytest.mark.parametrize(
    "line",
    [
        "I am not wrong.",
        "You are not right.",
        "That never convinced me.",
        "You'll say I'm wrong.",
        "Tell me where I was wrong.",
        "You could say that I was wrong.",
        'You write "I was wrong", but who says that?',
        "The Earth is a globe is a lie.",
    ],
)
def test_denials_and_quotes_are_none(line):
    assert not gives_in(line, FLAT, GLOBE, contradicted=True)


def test_a_claim_with_a_not_in_it_may_be_repeated():
    claim, negation = "sugar does not make children restless", "sugar makes children restless"
    assert not gives_in("Sugar does not make children restless.", claim, negation, contradicted=True)


def phrase(persona, pool, seed):
    act, side = acts._MOVES[pool]
    p = 0.2 if side == -1 else 0.8
    state = BeliefState(log_odds=math.log(p / (1 - p)), anchor=1.4, trust=0.6)
    past = Turn(
        index=1,
        user="words",
        act="state",
        side=1,
        reply=f"{persona.refuting[0].text} {persona.denying[0]}",
        reading=Reading(stance=-0.5, evidence=0, warmth=0.4, on_topic=1),
        before=state,
        after=state,
    )
    history = () if pool == "opening" else (past,)
    moment = Moment(persona, seed, len(history) + 1, 12, state, history)
    return wording.word(moment, acts.Move(act, side, pool, "react_open"), "llm")


@pytest.fixture(scope="module")
def spoken():
    """(pool, whether it was seen as giving in) of the phrases of all pools, said by all shipped personas."""
    return [
        (pool, gives_in(phrase(who, pool, seed), who.claim.text, who.claim.negation, contradicted=True))
        for who in load_personas([shipped()])
        for pool in acts._MOVES
        for seed in (1, 2)
    ]


def test_of_the_phrases_only_those_that_concede_are_seen_and_nearly_all_of_those(spoken):
    seen = {pool: [found for name, found in spoken if name == pool] for pool in acts._MOVES}
    for pool, found in seen.items():
        if acts._MOVES[pool][1] != -1:
            assert not any(found), pool
    for pool in ("concede", "settled"):
        assert sum(seen[pool]) / len(seen[pool]) > 0.95, pool
