import asyncio

import pytest

from echosim import registry
from echosim.belief import elicitation
from echosim.errors import PluginError
from echosim.protocols import Answer
from echosim.records import Reading, Utterance
from echosim.users import acts
from echosim.users.embedded import EmbeddedUser
from echosim.users.llm import LlmUser
from tests.users.voices import Scripted, mind, moment, past

USER = LlmUser()
LINE = "I have seen it with my own eyes, you know."
GAVE_UP = "You're right, I was wrong about the eels."


def say(persona, *history, answers=(LINE,), user=USER, **fields):
    voice = Scripted(*answers)
    return voice, asyncio.run(user.speak(moment(persona, voice, *history, **fields)))


def test_it_starts_where_the_embedded_user_starts(persona, mirror):
    for seed in range(20):
        for who in (persona, mirror):
            assert USER.begin(who, seed) == EmbeddedUser().begin(who, seed)


def test_its_mind_is_the_embedded_users(persona):
    reading = Reading(stance=-0.8, evidence=0.4, warmth=0.3, on_topic=1, unlisted=0.4)
    said = Utterance(text=LINE, act="reason", side=1)
    for options in ((), ("disbeliever",), ("self_argue",)):
        same = EmbeddedUser(*options).update(persona, mind(), said, reading)
        assert LlmUser(*options).update(persona, mind(), said, reading) == same
    found, state = asyncio.run(USER.report(moment(persona, None), said, "reply", mind()))
    assert found == elicitation.report(mind())
    assert state == mind()


def test_the_model_words_what_the_engine_decides(persona):
    for seed in range(10):
        history = (past(1), past(2, act="reason"))
        voice, said = say(persona, *history, seed=seed)
        move = acts.choose(moment(persona, None, *history, seed=seed), "llm")
        assert (said.text, said.act, said.side, said.flags) == (LINE, move.act, move.side, ())
        assert voice.purposes == ["line"]


def test_words_never_change_act_or_side(persona):
    history = (past(1, before=0.42, after=0.3, stance=-0.9),)
    _, conceding = say(persona, *history)
    assert (conceding.act, conceding.side) == ("concede", -1)
    _, stating = say(persona, answers=("I am not sure at all.",))
    assert (stating.act, stating.side) == ("state", 1)


def test_giving_in_is_let_through_only_where_the_engine_gives_in(persona):
    _, forbidden = say(persona, past(stance=-0.9), answers=(GAVE_UP, LINE))
    assert (forbidden.text, forbidden.flags) == (LINE, ("resampled:concession",))
    _, allowed = say(persona, past(before=0.42, after=0.3, stance=-0.9), answers=(GAVE_UP,))
    assert (allowed.text, allowed.flags) == (GAVE_UP, ())
    given_up = (past(1, 0.8, 0.3), past(2, 0.3, 0.28, act="concede", side=-1))
    for seed in range(10):
        _, later = say(persona, *given_up, answers=(GAVE_UP,), seed=seed)
        assert later.flags == ()
    back = (*given_up, past(3, 0.28, 0.7, stance=0.9, act="ask", side=0))
    _, again = say(persona, *back, answers=(GAVE_UP, "I think again that the eels know the rain."))
    assert again.side == 1


def test_a_model_that_agrees_with_an_agreeing_target_has_not_given_in(persona):
    line = "You're right, that is what my grandfather told me as well."
    _, said = say(persona, past(stance=0.9), answers=(line,))
    assert said.flags == ()


def test_a_model_that_cannot_be_helped_is_spoken_for(persona):
    voice, said = say(persona, past(), answers=("How can I help you today?",))
    assert said.flags == ("resampled:role_flip", "resampled:role_flip", "dropped:role_flip", "fallback")
    assert len(voice.asked) == 3
    assert "help you" not in said.text
    alone = asyncio.run(EmbeddedUser().speak(moment(persona, None)))
    assert (alone.act, alone.side) == ("state", 1)
    _, silent = say(persona, answers=(Answer("empty", ""),))
    assert persona.opening in silent.text


def test_the_same_moment_asks_the_same(persona):
    history = (past(1), past(2))
    assert say(persona, *history)[0].asked == say(persona, *history)[0].asked
    assert say(persona, *history)[0].asked != say(persona, *history, seed=4)[0].asked


def test_a_new_session_is_opened_anew(persona):
    voice, said = say(persona, past(1), past(2), session_turns=2)
    assert said.act == "state"
    assert "Some days have passed" in voice.asked[0][0][0].content


def test_the_forecast_is_a_call_a_turn(persona):
    assert [USER.calls(turns) for turns in (1, 5, 12)] == [1, 5, 12]


def test_without_a_model_it_says_so(persona):
    with pytest.raises(ValueError, match="needs a model"):
        asyncio.run(USER.speak(moment(persona, None)))


def test_it_is_registered_with_its_options():
    assert registry.load("user", 'llm("disbeliever")').needs == "model"
    for options in ('"nudge"', '"stubborn"'):
        with pytest.raises(PluginError, match="option"):
            registry.load("user", f"llm({options})")
