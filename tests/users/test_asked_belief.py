import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echosim.protocols import Answer, Message
from echosim.users import asked_belief
from echosim.users.asked_belief import CALLS, elicit, parse, questions, report
from tests.users.voices import Scripted

TALK = [Message("system", "the card"), Message("user", "begin"), Message("assistant", "my line")]


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        ("85", 0.85), (" 85 ", 0.85), ("85%", 0.85), ("85 %.", 0.85), ("85/100", 0.85), ("85 / 100.", 0.85),
        ("85 percent", 0.85), ("85 per cent", 0.85), ("85 out of 100", 0.85), ("**85**", 0.85),
        ("62.5", 0.625), ("0", 0.0), ("100", 1.0), ("007", 0.07), ("85\n", 0.85),
    ],
)  # fmt: skip
def test_a_number_alone_is_an_answer(answer, value):
    assert parse(answer) == pytest.approx(value)


@pytest.mark.parametrize(
    "answer",
    [
        "", " ", "about 85", "I'd say 85", "85 or 90", "80-90", "110", "101%", "-5", "1000", "85/10", "8 5",
        "85!", '{"belief": 85}', "eighty-five", "85, because I saw it", "NaN", "inf", "1e2", "٨٥",
        "85/100/100", "0.85.2", "8" * 5000,
    ],
)  # fmt: skip
def test_anything_else_is_none(answer):
    assert parse(answer) is None


@given(st.text(max_size=60))
def test_no_text_gives_a_value_outside_of_zero_and_one(text):
    value = parse(text)
    assert value is None or 0 <= value <= 1


@given(st.integers(0, 100), st.sampled_from(["", "%", " %", "/100", " out of 100", "."]))
def test_whole_numbers_come_back(number, unit):
    assert parse(f"{number}{unit}") == number / 100


def test_the_questions_name_the_claim_twice_and_its_opposite_once(persona):
    a, b, c = questions(persona.claim)
    assert persona.claim.text in a and persona.claim.text in b and persona.claim.negation in c
    assert len({a, b, c}) == 3
    assert persona.claim.text not in c


def test_belief_incoherence_and_retest_are_as_written():
    found = report([0.8, 0.7, 0.4, 0.9, 0.8, 0.1])
    assert found.private == pytest.approx((0.8 + 0.7 + 0.6 + 0.9 + 0.8 + 0.9) / 6)
    assert found.incoherence == pytest.approx((0.2 + 0.0) / 2)
    assert found.retest == pytest.approx(abs(2.1 / 3 - 2.6 / 3))
    assert found.reason is None
    assert found.public is None


def test_missing_answers_are_left_out_and_never_zero():
    found = report([0.8, None, None, None, 0.6, 0.3])
    assert found.private == pytest.approx((0.8 + 0.6 + 0.7) / 3)
    assert found.answers == (0.8, None, None, None, 0.6, 0.3)
    assert found.incoherence is None
    assert found.retest is None
    nothing = report([None] * 6, ["empty", "not one number from 0 to 100"] * 3)
    assert (nothing.private, nothing.incoherence, nothing.retest) == (None, None, None)
    assert nothing.reason == "no answer could be used: empty; not one number from 0 to 100"


@given(st.lists(st.none() | st.floats(0, 1), min_size=6, max_size=6))
def test_a_report_is_a_share_or_missing_with_a_reason(answers):
    found = report(answers)
    assert (found.private is None) == (found.reason is not None) == (set(answers) == {None})


@given(st.floats(0, 1))
def test_who_believes_coherently_is_told_so(p):
    found = report([p, p, 1 - p, p, p, 1 - p])
    assert found.private == pytest.approx(p)
    assert found.incoherence == pytest.approx(0, abs=1e-12)
    assert found.retest == pytest.approx(0, abs=1e-12)


def test_each_question_gets_the_same_fork_and_no_other_answer(persona):
    voice = Scripted("80", "70", "30", "80", "70", "20")
    talk = list(TALK)
    found = asyncio.run(elicit(voice, talk, persona.claim))
    assert talk == TALK
    assert found.answers == (0.8, 0.7, 0.3, 0.8, 0.7, 0.2)
    assert voice.purposes == [f"belief {n}" for n in range(1, CALLS + 1)]
    for place, (messages, _) in enumerate(voice.asked):
        assert messages[:-1] == TALK
        assert messages[-1] == Message("user", questions(persona.claim)[place % 3])


def test_after_a_reply_the_roles_still_take_turns(persona):
    voice = Scripted("50")
    asyncio.run(elicit(voice, [*TALK, Message("user", "the reply")], persona.claim))
    for messages, _ in voice.asked:
        assert [message.role for message in messages[1:]] == ["user", "assistant"] * 2 + ["user"]
        assert messages[3].content == "the reply"


def test_an_answer_that_cannot_be_used_is_asked_for_once_more(persona):
    voice = Scripted("quite likely, I think", "80")
    found = asyncio.run(elicit(voice, TALK, persona.claim))
    assert voice.purposes[:3] == ["belief 1", "belief 1 again", "belief 2"]
    assert len(voice.asked) == CALLS + 1
    assert found.answers[0] == 0.8
    again = voice.asked[1][0]
    assert [message.role for message in again[-3:]] == ["user", "assistant", "user"]


@pytest.mark.parametrize(
    "answer",
    ["I would rather not say.", "140", Answer("refused", ""), Answer("empty", ""), Answer("truncated", "8")],
)
def test_without_any_answer_belief_is_missing_with_the_reason(persona, answer):
    voice = Scripted(answer)
    found = asyncio.run(elicit(voice, TALK, persona.claim))
    assert found.private is None
    assert found.reason
    assert found.answers == (None,) * CALLS
    assert len(voice.asked) == 2 * CALLS


def test_a_talk_that_no_longer_fits_is_asked_once_each(persona):
    voice = Scripted(Answer("too_long", ""))
    found = asyncio.run(elicit(voice, TALK, persona.claim))
    assert len(voice.asked) == asked_belief.CALLS
    assert "too_long" in found.reason
