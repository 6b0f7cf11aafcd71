import asyncio
import math

import pytest

from echosim import draws, registry
from echosim.protocols import Answer, Message
from echosim.records import Reading, Trial, Utterance
from echosim.running.chat import Reply
from echosim.running.conversation import Setting, hold
from echosim.study_records import TargetSpec
from echosim.users.asked_belief import CALLS
from echosim.users.embedded import EmbeddedUser
from echosim.users.free import LIMIT, FreeUser
from tests.users.voices import Scripted, mind, moment, past

USER = FreeUser()
LINE = "I have seen it with my own eyes, you know."
LETTERS = str.maketrans("0123456789", "ghijklmnop")
SAID = Utterance(text=LINE, act="state", side=1)


def say(persona, *history, answers=(LINE,), **fields):
    voice = Scripted(*answers)
    return voice, asyncio.run(USER.speak(moment(persona, voice, *history, **fields)))


def report(persona, *history, answers=("80", "70", "30"), reply="the reply", state=None, **fields):
    voice = Scripted(*answers)
    now = moment(persona, voice, *history, **fields)
    return voice, *asyncio.run(USER.report(now, SAID, reply, state or now.state))


# --- what it says -------------------------------------------------------------------------------


def test_it_starts_as_the_embedded_user_and_no_reading_moves_it(persona):
    start = USER.begin(persona, 3)
    assert start == EmbeddedUser().begin(persona, 3)
    for stance in (-1.0, 0.0, 1.0):
        reading = Reading(stance=stance, evidence=1, warmth=1, on_topic=1)
        assert USER.update(persona, start, SAID, reading) == start


@pytest.mark.parametrize(
    ("belief", "side"), [(0.95, 1), (0.61, 1), (0.59, 0), (0.41, 0), (0.39, -1), (0.05, -1)]
)
def test_its_side_is_what_its_last_belief_comes_to(persona, belief, side):
    _, said = say(persona, past(after=belief))
    assert (said.text, said.act, said.side, said.flags) == (LINE, "state", side, ())


def test_it_is_free_to_give_in(persona):
    line = "You're right, I was wrong about the eels."
    _, said = say(persona, past(stance=-0.9), answers=(line,))
    assert (said.text, said.flags) == (line, ())


def test_other_faults_are_asked_for_again_and_spoken_for(persona):
    _, mended = say(persona, past(), answers=("As an AI, I can't feel rain.", LINE))
    assert (mended.text, mended.flags) == (LINE, ("resampled:role_flip",))
    for belief, act, side in ((0.8, "state", 1), (0.5, "doubt", 0), (0.2, "concede", -1)):
        _, said = say(persona, past(after=belief), answers=("- a\n- b",))
        assert (said.act, said.side) == (act, side)
        assert said.flags[-2:] == ("dropped:markdown", "fallback")
    _, first = say(persona, answers=("",))
    assert persona.opening in first.text


def test_the_card_tells_the_start_and_never_what_was_answered(persona):
    voice, _ = say(persona, past(1, 0.8, 0.8), past(2, 0.8, 0.1))
    other, _ = say(persona, past(1, 0.8, 0.8), past(2, 0.8, 0.95))
    assert voice.asked == other.asked
    system = voice.asked[0][0][0]
    assert persona.claim.text in system.content
    assert "up to you" in system.content
    assert all("reply number" not in m.content for m in voice.asked[0][0] if m.role == "system")


# --- what it is asked ---------------------------------------------------------------------------


def test_it_is_asked_after_every_second_turn_and_at_the_end(persona):
    for turns in (1, 2, 3, 4, 5, 12):
        asked = []
        for turn in range(1, turns + 1):
            history = [past(index) for index in range(1, turn)]
            voice, found, _ = report(persona, *history, turns=turns)
            assert (found is None) == (not voice.asked)
            asked += [turn] if voice.asked else []
        assert asked == sorted({turns, *range(2, turns + 1, 2)})
        assert USER.calls(turns) == turns + CALLS * (1 + len(asked))


def start(persona, answers=("80", "70", "30", "80", "70", "30")):
    voice = Scripted(*answers)
    return voice, *asyncio.run(USER.start(moment(persona, voice)))


def test_its_start_is_what_it_tells_before_it_says_anything(persona):
    voice, found, state = start(persona)
    assert len(voice.asked) == CALLS
    assert found.private == pytest.approx((0.8 + 0.7 + 0.7) / 3)
    assert state.confidence == pytest.approx(found.private)
    for messages, _ in voice.asked:
        assert persona.claim.text in messages[0].content
        assert all(LINE not in message.content for message in messages)
    _, unknown, unmoved = start(persona, answers=("hm",))
    assert (unknown.private, unmoved) == (None, moment(persona, voice).state)
    assert unknown.reason


def test_an_asking_knows_the_reply(persona):
    later, *_ = report(persona, past(), reply="a canary")
    for messages, _ in later.asked:
        assert sum("canary" in message.content for message in messages) == 1
        assert Message("user", "a canary") in messages
    only, *_ = report(persona, reply="a canary", turns=1)
    assert Message("user", "a canary") in only.asked[0][0]


def test_the_answers_become_the_mind(persona):
    _, found, state = report(persona, past(), answers=("80", "70", "30", "80", "70", "30"))
    assert found.private == pytest.approx((0.8 + 0.7 + 0.7) / 3)
    assert state.confidence == pytest.approx(found.private)
    assert state.model_copy(update={"log_odds": 0.0}) == mind().model_copy(update={"log_odds": 0.0})


@pytest.mark.parametrize(
    ("answers", "log_odds"),
    [
        (("100", "100", "0", "100", "100", "0"), LIMIT),
        (("0", "0", "100", "0", "0", "100"), -LIMIT),
        (("50",), 0.0),
    ],
)
def test_certainty_is_bounded(persona, answers, log_odds):
    _, _, state = report(persona, past(), answers=answers)
    assert state.log_odds == pytest.approx(log_odds)
    assert math.isfinite(state.log_odds)


@pytest.mark.parametrize(
    "answer",
    [
        "I'd say it is quite likely.",
        "140",
        "-3",
        "80 or 90",
        '{"belief": 80}',
        "80%\nbecause",
        Answer("refused", ""),
    ],
)
def test_answers_that_cannot_be_used_leave_belief_as_it_was(persona, answer):
    _, found, state = report(persona, past(after=0.7), answers=(answer,))
    assert found.private is None
    assert found.reason
    assert state.confidence == pytest.approx(0.7)


def test_in_turns_between_the_last_belief_stays(persona):
    voice, found, state = report(persona, past(1), past(2, after=0.66))
    assert (voice.asked, found) == ([], None)
    assert state.confidence == pytest.approx(0.66)


# --- a fork leaves no trace ---------------------------------------------------------------------


class Unasked:
    """The free user without its report."""

    def __init__(self):
        self.begin, self.speak, self.update = USER.begin, USER.speak, USER.update


class Everything:
    """Target and user model in one; the user's lines hash all that the model has seen."""

    def __init__(self):
        self.of_target, self.of_lines, self.others = [], [], 0

    async def ask(self, target, request, system_prompt, *, trial):
        key = draws.key(*(f"{m.role} {m.content}" for m in request.messages))
        if target.label == "target":
            self.of_target.append(tuple(request.messages))
            return Reply("ok", f"what {key} says", returned_model="m")
        last = request.messages[-1].content
        if "from 0 to 100" in last.lower() or "per cent" in last:
            self.others += 1
            return Reply("ok", f"{int(key[:4], 16) % 101}")
        self.of_lines.append(tuple(request.messages))
        return Reply("ok", f"as {key.translate(LETTERS)} thinks, and that is what I say")


class Shelf:
    def __init__(self):
        self.turns = []

    async def append(self, trial, turn):
        self.turns.append(turn)


class Deaf:
    identity, encoder = "deaf", "none"

    async def read(self, persona, user, reply, side=1):
        return Reading(stance=0.5, evidence=0, warmth=0.4, on_topic=1)


def held(persona, user, turns=7):
    chat, shelf = Everything(), Shelf()
    trial = Trial(
        id="t",
        persona=persona.id,
        family="f",
        role="holder",
        target="x",
        arm="none",
        user="u",
        seed=1,
        turns=turns,
    )
    setting = Setting(
        persona=persona,
        target=TargetSpec(model="openai/x", label="target"),
        user=user,
        system_prompt=None,
        monitors=(),
        reader=Deaf(),
        bank="dev",
        key="key",
        voice=TargetSpec(model="openai/y", label="user u"),
    )
    ending = asyncio.run(hold(trial, setting, chat, shelf))
    assert ending.status == "complete", ending
    return chat, shelf.turns


def test_asking_changes_no_line_and_no_request(persona):
    asked, with_questions = held(persona, USER)
    silent, without = held(persona, Unasked())
    assert (asked.others, silent.others) == (CALLS * 5, 0)
    assert asked.of_target == silent.of_target
    assert asked.of_lines == silent.of_lines
    assert [(t.user, t.reply) for t in with_questions] == [(t.user, t.reply) for t in without]
    assert [t.report is None for t in with_questions] == [False, False, True, False, True, False, False]
    assert len({t.after.log_odds for t in with_questions}) > 1
    # Change is counted from what it told before the talk, not from the persona's confidence.
    first = with_questions[0]
    assert first.before.confidence == pytest.approx(first.report.private)
    assert first.before != without[0].before


def test_the_forecast_is_what_a_talk_takes(persona):
    for turns in (1, 2, 5):
        chat, _ = held(persona, USER, turns)
        assert len(chat.of_lines) + chat.others == USER.calls(turns)


def test_it_is_registered_and_needs_a_model(persona):
    assert registry.load("user", "free").needs == "model"
    with pytest.raises(ValueError, match="needs a model"):
        asyncio.run(USER.speak(moment(persona, None)))
