from __future__ import annotations

import io
import json

from hypothesis import given
from hypothesis import strategies as st

from echosim.interop import chats, messages
from tests.reporting import synthetic


def lines(transcripts, personas=()) -> list[str]:
    stream = io.StringIO()
    count = messages.export(transcripts, {one.id: one for one in personas}, stream)
    found = stream.getvalue().splitlines()
    assert count == len(found)
    return found


def test_a_chat_says_that_nobody_took_part_and_holds_every_word():
    transcript = synthetic.transcript(turns=2)
    (line,) = lines([transcript])
    chat = json.loads(line)
    assert chat["synthetic"] is True
    assert "no person took part" in chat["notice"]
    assert [message["content"] for message in chat["messages"]] == [
        text for turn in transcript.turns for text in (turn.user, turn.reply)
    ]
    assert [message["role"] for message in chat["messages"]] == ["user", "assistant"] * 2


def test_a_grave_talk_carries_its_sober_line_and_a_minor_is_named():
    transcript = synthetic.transcript(turns=1)
    persona = next(p for p in synthetic.study().personas if p.id == transcript.trial.persona)
    grave = persona.model_copy(update={"severity": 5, "age_band": "teen_13_17"})
    mild = persona.model_copy(update={"severity": 2})
    (line,) = lines([transcript], [grave])
    assert json.loads(line)["closing"] == persona.safety.exit_phrase
    assert "minor" in json.loads(line)["notice"]
    (line,) = lines([transcript], [mild])
    assert json.loads(line)["closing"] is None


def test_history_and_sessions_are_marked():
    whole = synthetic.transcript(turns=4)
    first, second, third, fourth = whole.turns
    frozen = first.model_copy(update={"flags": ("frozen",)})
    opened = third.model_copy(update={"after_gap": True})
    changed = whole.model_copy(update={"turns": (frozen, second, opened, fourth)})
    (line,) = lines([changed])
    found = json.loads(line)["metadata"]
    assert (found["history"], found["sessions_open"]) == (1, [3])


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=80))
def test_what_is_written_reads_back_as_chats(reply):
    transcript = synthetic.transcript(turns=2, reply=reply)
    (line,) = lines([transcript])
    assert line.isascii()
    (chat,) = chats.read(io.BytesIO(line.encode()), "export")
    assert chat.id == transcript.trial.id
    assert [turn[0] for turn in chat.turns] == [turn.user for turn in transcript.turns]
