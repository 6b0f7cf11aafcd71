from __future__ import annotations

import io
import json
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echosim.errors import InputError
from echosim.interop import chats
from echosim.interop.chats import MOST_FAULTS, Chat, Survey
from echosim.running.outcomes import MAX_REPLY, clean


def read(text: str | bytes, name: str = "chats.jsonl") -> list[Chat]:
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return list(chats.read(io.BytesIO(data), name))


def line(*messages: tuple[str, object], **more: object) -> str:
    return json.dumps({"messages": [{"role": role, "content": text} for role, text in messages], **more})


def faults(text: str | bytes, name: str = "chats.jsonl") -> list[str]:
    with pytest.raises(InputError) as caught:
        read(text, name)
    return str(caught.value).splitlines()


# --- what a line may be ---------------------------------------------------------------------------


def test_pairs_of_message_and_reply() -> None:
    (chat,) = read(line(("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d"), id="x"))
    assert chat == Chat(1, "x", (("a", "b"), ("c", "d")))


def test_a_bare_list_and_a_number_as_id() -> None:
    bare = '[{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]'
    (one, two) = read(f"{bare}\n{line(('user', 'a'), ('assistant', 'b'), id=7)}")
    assert (one.id, one.name, one.turns) == (None, "line 1", (("a", "b"),))
    assert (two.id, two.name, two.line) == ("7", "7", 2)


def test_unknown_fields_are_let_be() -> None:
    (chat,) = read(line(("user", "a"), ("assistant", "b"), model="m", metadata={"messages": 3}))
    assert chat.turns == (("a", "b"),)


@pytest.mark.parametrize(
    ("said", "turns"),
    [
        ([("assistant", "b")], [("", "b")]),
        ([("user", "a"), ("user", "b"), ("assistant", "c"), ("assistant", "d")], [("a\n\nb", "c\n\nd")]),
        ([("system", "s"), ("developer", "s"), ("user", "a"), ("assistant", "b")], [("a", "b")]),
        ([("user", "a"), ("assistant", "b"), ("user", "c")], [("a", "b")]),
        ([("user", "a"), ("assistant", "b"), ("system", "s"), ("assistant", "c")], [("a", "b\n\nc")]),
        ([("user", "a"), ("assistant", "")], [("a", "")]),
        ([("user", "a")], []),
        ([], []),
    ],
)
def test_how_messages_become_turns(said: list[tuple[str, str]], turns: list[tuple[str, str]]) -> None:
    assert list(read(line(*said))[0].turns) == turns


def test_messages_of_tools_are_left_out_and_counted() -> None:
    call = {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}
    messages = [
        {"role": "user", "content": "a"},
        call,
        {"role": "tool", "content": "42", "tool_call_id": "1"},
        {"role": "assistant", "content": "I looked it up.", "tool_calls": [{"id": "2"}]},
        {"role": "function", "content": None},
        {"role": "assistant", "content": "It is 42."},
    ]
    (chat,) = read(json.dumps(messages))
    assert chat.turns == (("a", "I looked it up.\n\nIt is 42."),)
    assert chat.tools == 3


def test_parts_of_text_are_read_and_others_counted() -> None:
    parts = [{"type": "text", "text": "look"}, {"type": "image_url", "image_url": {}}, "and say"]
    answer = [{"type": "output_text", "text": "a cat"}]
    (chat,) = read(line(("user", parts), ("assistant", answer)))
    assert chat.turns == (("look\n\nand say", "a cat"),)
    assert chat.parts == 1


def test_a_refusal_is_a_reply() -> None:
    refused = {"role": "assistant", "content": None, "refusal": "I can't help with that."}
    assert read(json.dumps([refused]))[0].turns == (("", "I can't help with that."),)


# --- bytes ----------------------------------------------------------------------------------------


def test_bom_crlf_and_blank_lines() -> None:
    good = line(("user", "a"), ("assistant", "b"))
    data = b"\xef\xbb\xbf" + f"\r\n{good}\r\n  \r\n\n{good}".encode()
    assert [chat.line for chat in read(data)] == [2, 5]


def test_line_separators_inside_text_do_not_end_a_line() -> None:
    said = "a\u2028b\x85c\x0bd"
    (chat,) = read('[{"role": "assistant", "content": "a\u2028b\x85c\x0bd"}]')
    assert chat.turns == (("", said),)


@pytest.mark.parametrize("escaped", [True, False])
def test_half_characters_and_nul_are_replaced_and_counted(escaped: bool) -> None:
    text = '[{"role": "assistant", "content": "no\\ud800 \\u0000way"}]'
    data = text if escaped else text.replace("\\ud800", "\ud800").replace("\\u0000", "\0")
    (chat,) = read(data)
    assert chat.turns == (("", "no\ufffd way"),)
    assert chat.changed == 1
    chat.turns[0][1].encode("utf-8")


def test_a_pair_of_halves_is_one_character() -> None:
    assert read('[{"role": "assistant", "content": "\\ud83d\\ude00"}]')[0].turns == (("", "\U0001f600"),)


def test_a_text_of_any_length_is_cut_and_counted_alone_or_joined() -> None:
    (chat,) = read(line(("user", "a"), ("assistant", "b" * (MAX_REPLY + 1)), id="x"))
    assert (len(chat.turns[0][1]), chat.cut, chat.changed) == (MAX_REPLY, 1, 0)
    (chat,) = read(line(("user", "a"), *[("assistant", "b" * (MAX_REPLY // 2))] * 9))
    assert (len(chat.turns[0][1]), chat.cut) == (MAX_REPLY, 1)
    (chat,) = read(line(("assistant", "b" * MAX_REPLY)))
    assert (len(chat.turns[0][1]), chat.cut) == (MAX_REPLY, 0)


# --- what is wrong, and where ---------------------------------------------------------------------

GOOD = line(("user", "a"), ("assistant", "b"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"messages": [', "not JSON (Expecting value, column 15); each line must hold one whole chat"),
        ("[\n{", "not JSON"),
        ("7", "must be a list of messages"),
        ("null", "must be a list of messages"),
        ('{"turns": []}', 'messages: missing; a line is {"messages": [...]} or a list of messages'),
        ('{"messages": "hi"}', "messages: must be a list of messages"),
        ('{"messages": [], "id": true}', "id: must be text or a whole number"),
        ('{"messages": [], "id": {}}', "id: must be text or a whole number"),
        ('{"messages": ["hi"]}', "messages[0]: must be an object with role and content"),
        ('["hi"]', "[0]: must be an object with role and content"),
        (line(("user", "a"), ("bot", "b")), "messages[1].role: unknown; must be one of user, assistant"),
        ('[{"content": "a"}]', "[0].role: missing; must be one of"),
        ('[{"role": [], "content": "a"}]', "[0].role: unknown"),
        (line(("user", "a"), ("assistant", 3)), "messages[1].content: must be text"),
        ('[{"role": "user"}]', "[0].content: missing; must be text"),
        (line(("user", [{"type": "text"}])), "messages[0].content[0].text: must be text"),
        (line(("user", [4])), "messages[0].content[0]: must be text or a part with a type"),
        (f"[{GOOD}, {GOOD}]", "is a list of chats; write each chat on a line of its own"),
        ("[" * 100_000, "nested too deeply"),
        ("1" * 10_000, "not JSON"),
    ],
)
def test_faults_name_file_line_and_field(text: str, said: str) -> None:
    found = faults(f"{GOOD}\n\n{text}")
    assert found[0].startswith(f"chats.jsonl:3: {said}")


def test_all_faults_of_a_line_at_once() -> None:
    found = faults(line(("user", 1), ("assistant", "b"), ("assistant", 2)))
    assert found == [
        "chats.jsonl:1: messages[0].content: must be text",
        "chats.jsonl:1: messages[2].content: must be text",
    ]


@pytest.mark.parametrize(
    "wrong",
    ['{"messages": [' + "1," * 200_000 + "1]}", line(("user", [7] * 200_000))],
    ids=["messages", "parts"],
)
def test_a_line_of_wrong_things_only_costs_no_more_than_its_first_faults(wrong: str) -> None:
    with pytest.raises(InputError) as caught:
        read(wrong)
    assert len(caught.value.faults) == MOST_FAULTS


def test_other_encodings_are_named() -> None:
    assert (
        "not UTF-8 (byte 37 of the line)"
        in faults('[{"role": "assistant", "content": "né"}]'.encode("latin-1"))[0]
    )
    assert "not UTF-8 (byte 1 of the line)" in faults(GOOD.encode("utf-16"))[0]


@pytest.mark.parametrize("text", ["", "\n \r\n", b"\xef\xbb\xbf"])
def test_a_file_without_a_chat(text: str | bytes) -> None:
    assert faults(text, "none.jsonl") == [
        'none.jsonl: holds no chat; each line must hold one: {"messages": [...]}'
    ]


def test_chats_before_a_fault_are_given() -> None:
    stream = chats.read(io.BytesIO(f"{GOOD}\n{{".encode()), "x")
    assert next(stream).turns == (("a", "b"),)
    with pytest.raises(InputError, match="x:2: not JSON"):
        next(stream)


def test_the_longest_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chats, "LONGEST_LINE", 1 + len(GOOD))
    assert len(read(f"{GOOD}\n{GOOD}")) == 2
    monkeypatch.setattr(chats, "LONGEST_LINE", 2**20)
    assert "chats.jsonl:2: longer than 1 MiB" in faults(f"{GOOD}\n{' ' * 2**20} {GOOD}\n{GOOD}")[0]


# --- the survey -----------------------------------------------------------------------------------


def test_a_survey_counts() -> None:
    data = f"{GOOD}\n\n{line(('user', 'a'))}\n{GOOD}".encode()
    assert chats.survey(io.BytesIO(data), "x") == Survey(chats=3, replies=2)


def test_a_survey_names_seven_faults_and_says_that_there_are_more() -> None:
    with pytest.raises(InputError) as caught:
        chats.survey(io.BytesIO(b"{\n" * 100), "x")
    assert [fault.line for fault in caught.value.faults] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert "checked no further" in caught.value.faults[-1].message
    with pytest.raises(InputError) as caught:
        chats.survey(io.BytesIO(f"{{\n{GOOD}\n{{".encode()), "x")
    assert [fault.line for fault in caught.value.faults] == [1, 3]


# --- any input ------------------------------------------------------------------------------------

TEXT = st.text(st.characters(codec=None), max_size=12)
ROLES = st.sampled_from(("user", "assistant", "system", "tool"))


@given(st.lists(st.lists(st.tuples(ROLES, TEXT), max_size=6), min_size=1, max_size=4))
def test_every_word_of_both_sides_arrives(talks: list[list[tuple[str, str]]]) -> None:
    found = read("\n".join(line(*talk) for talk in talks))
    assert len(found) == len(talks)
    for chat, talk in zip(found, talks, strict=True):
        answered = "".join(clean(text)[0] for role, text in talk if role == "assistant")
        replies = "".join(reply for _, reply in chat.turns)
        assert replies.replace("\n", "") == answered.replace("\n", "")
        for pair in chat.turns:
            for text in pair:
                assert "\0" not in text
                text.encode("utf-8")


@given(st.one_of(st.binary(max_size=60), st.text(max_size=60).map(lambda t: t.encode("utf-8", "replace"))))
def test_anything_is_a_chat_or_a_named_fault(data: bytes) -> None:
    try:
        assert all(isinstance(chat, Chat) for chat in read(data))
    except InputError as error:
        said = str(error)
    else:
        said = "chats.jsonl:"
    assert said.startswith("chats.jsonl:")


class Endless(io.RawIOBase):
    """Many chats that no memory holds at once."""

    def __init__(self, count: int, text: bytes) -> None:
        self._left = count
        self._text = text

    def readline(self, size: int | None = -1, /) -> bytes:
        self._left -= 1
        return self._text if self._left >= 0 else b""


def test_memory_does_not_grow_with_the_file() -> None:
    def peak(count: int) -> int:
        talk = [(role, "words and words " * 200) for role in ("user", "assistant")] * 4
        stream = Endless(count, line(*talk).encode() + b"\n")
        found: Iterator[Chat] = chats.read(stream, "x")  # type: ignore[arg-type]
        tracemalloc.start()
        seen = sum(1 for _ in found)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert seen == count
        return most

    assert peak(400) < 1.2 * peak(20)
