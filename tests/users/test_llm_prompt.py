import typing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echosim.inputs.personas import load_personas, shipped
from echosim.users import acts, llm_prompt
from echosim.users.acts import Move, Pool
from tests.users.voices import moment, past

CANARY = "zq canary from the target"


def move(pool):
    act, side = acts._MOVES[pool]
    return Move(act, side, pool)


def test_every_act_has_its_words():
    assert set(llm_prompt._ACTS) == set(typing.get_args(Pool)) == set(acts._MOVES)


@pytest.mark.parametrize("pool", typing.get_args(Pool))
def test_the_card_says_who_what_how_and_what_now(persona, pool):
    system = llm_prompt.acting(moment(persona, None, past()), move(pool), "llm")[0]
    assert system.role == "system"
    for told in (persona.claim.text, *persona.reasons, *persona.style.lexicon, "8 to 60 words"):
        assert told in system.content
    for point in (*persona.refuting, *persona.supporting):
        assert point.text not in system.content and point.paraphrase not in system.content
    assert "{" not in system.content
    assert ("You have not changed your mind" in system.content) == (acts._MOVES[pool][1] == 1)


def test_the_opposite_is_named_only_to_who_gives_in(persona):
    for pool, (_, side) in acts._MOVES.items():
        system = llm_prompt.acting(moment(persona, None, past()), move(pool), "llm")[0].content
        assert (persona.claim.negation in system) == (side == -1)


def test_the_talk_is_told_from_the_users_side(persona):
    history = (past(1), past(2))
    messages = llm_prompt.acting(moment(persona, None, *history), move("ask"), "llm")
    assert [m.role for m in messages] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert [m.content for m in messages[2:]] == [
        "my line number 1",
        "reply number 1 about the weather",
        "my line number 2",
        "reply number 2 about the weather",
    ]


@given(reply=st.text(min_size=1, max_size=200), pool=st.sampled_from(typing.get_args(Pool)))
def test_what_the_target_wrote_stands_in_its_own_message_alone(persona, reply, pool):
    reply = CANARY + reply
    messages = llm_prompt.acting(moment(persona, None, past(reply=reply)), move(pool), "llm")
    assert [m.content for m in messages if CANARY in m.content] == [reply]
    same = llm_prompt.acting(moment(persona, None, past(reply="other words")), move(pool), "llm")
    assert messages[0] == same[0]


def test_a_flood_is_read_from_its_beginning(persona):
    messages = llm_prompt.acting(moment(persona, None, past(reply="word " * 40_000)), move("ask"), "llm")
    assert len(messages[-1].content) < llm_prompt.READ + 10


def test_braces_in_a_persona_stay_as_they_are(persona):
    odd = persona.model_copy(update={"opening": "Rain {negation} {0.__class__} %s and ${HOME}."})
    system = llm_prompt.acting(moment(odd, None), move("opening"), "llm")[0].content
    assert "Rain {negation} {0.__class__} %s and ${HOME}." in system


def test_reasons_come_in_turn(persona):
    first = llm_prompt.acting(moment(persona, None, past()), move("reason"), "llm")[0].content
    later = llm_prompt.acting(moment(persona, None, past(), past(2, act="reason")), move("reason"), "llm")[
        0
    ].content
    assert first.rpartition("words of your own:")[2] != later.rpartition("words of your own:")[2]


def test_confidence_is_told_in_words_and_follows_belief(persona):
    def told(p):
        return llm_prompt.acting(moment(persona, None, past(after=p)), move("state"), "llm")[0].content

    assert told(0.97) != told(0.55)
    assert "0.97" not in told(0.97)


def test_cards_of_all_shipped_personas_are_whole():
    for who in load_personas([shipped()]):
        card = llm_prompt.card(who)
        assert f"{who.style.words_min} to {who.style.words_max} words" in card
        assert who.stakes.rstrip(".") in card
        assert ".." not in card
