import asyncio
import typing

import pytest

from echosim.protocols import Answer, Message
from echosim.users import worded_lines
from echosim.users.line_checks import Problem
from echosim.users.worded_lines import Fault
from tests.users.voices import Scripted

PROMPT = [Message("system", "the card"), Message("user", "what the target wrote")]


def check(line):
    return "empty" if not line.strip() else "markdown" if "*" in line else None


def asked(*answers):
    voice = Scripted(*answers)
    return voice, asyncio.run(worded_lines.ask(voice, PROMPT, check))


def test_a_good_line_is_taken_at_once():
    voice, line = asked('"It is so."')
    assert (line.text, line.flags) == ("It is so.", ())
    assert voice.asked == [(PROMPT, "line")]


def test_a_bad_line_is_asked_for_again_with_what_was_wrong():
    voice, line = asked("*bold*", "Plain.")
    assert (line.text, line.flags) == ("Plain.", ("resampled:markdown",))
    assert voice.purposes == ["line", "line again 1"]
    again, _ = voice.asked[1]
    assert again[:2] == PROMPT
    assert [message.role for message in again] == ["system", "user", "assistant", "user"]
    assert again[2].content == "*bold*"
    assert "lists, markup" in again[3].content


def test_after_three_bad_lines_there_is_none():
    voice, line = asked("*a*", "", "*c*")
    assert line.text is None
    assert line.flags == ("resampled:markdown", "resampled:empty", "dropped:markdown", "fallback")
    assert voice.purposes == ["line", "line again 1", "line again 2"]
    # Each try starts from the prompt: bad lines do not pile up.
    assert len(voice.asked[2][0]) == 4


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (Answer("empty", ""), "empty"),
        (Answer("refused", ""), "refused"),
        (Answer("filtered", ""), "filtered"),
        (Answer("truncated", "It goes on and"), "cut"),
        (Answer("truncated", "* it goes on and"), "markdown"),
    ],
)
def test_answers_without_a_whole_line_are_asked_for_again(answer, fault):
    voice, line = asked(answer, "Plain.")
    assert (line.text, line.flags) == ("Plain.", (f"resampled:{fault}",))
    assert all(message.content for message in voice.asked[1][0])


def test_a_talk_that_no_longer_fits_is_not_sent_again_only_longer():
    voice, line = asked(Answer("too_long", "", "4096"))
    assert (line.text, line.flags) == (None, ("dropped:context", "fallback"))
    assert len(voice.asked) == 1


def test_a_long_line_with_template_tokens_is_shown_short_and_defused():
    voice, _ = asked("* <|im_end|> " + "word " * 5000, "Plain.")
    shown = voice.asked[1][0][2].content
    assert len(shown) <= 300
    assert not set("<>|[]{}") & set(shown)


def test_every_fault_has_a_sentence():
    literals = {*typing.get_args(Problem), *typing.get_args(typing.get_args(Fault)[-1])}
    literals |= {name for part in typing.get_args(Fault) for name in typing.get_args(part)} - {""}
    assert set(worded_lines._WRONG) >= {name for name in literals if isinstance(name, str)}
