"""Chats that others wrote, as JSON Lines: one chat a line, one line in memory at a time.

    {"id": "a1", "messages": [{"role": "user", "content": "..."}, {"role": "assistant", "content": "..."}]}

A line may also be the bare list of messages. Content is text or a list of parts, of which those of text
are read. System messages are no part of the talk; messages from and to tools are left out and counted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

from echosim.errors import Fault, InputError
from echosim.running.outcomes import MAX_REPLY, clean

LONGEST_LINE = 16 * 2**20
"""Bytes of one line; what bounds the memory that a file can take."""
MOST_FAULTS = 8
"""Faults reported of one file, the remark that there are more among them."""

_SPEAKERS = ("user", "assistant")
_ROLES = (*_SPEAKERS, "system", "developer", "tool", "function")
_TOOLS = ("tool", "function")
_TEXT_PARTS = ("text", "input_text", "output_text")
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Chat:
    """One chat.

    Attributes:
        line: 1-based line of its file.
        id: as given, or None.
        turns: (user message, reply), both as text; "" for a reply to nothing. A last message without a
            reply is left out.
        tools: messages from and to tools that were left out.
        parts: parts that are no text (pictures, sound) and were left out.
        changed: texts that lost a NUL or had half a character replaced.
        cut: texts, alone or joined with those of the same side, of which only the first 200,000 characters
            are kept.
    """

    line: int
    id: str | None
    turns: tuple[tuple[str, str], ...]
    tools: int = 0
    parts: int = 0
    changed: int = 0
    cut: int = 0

    @property
    def name(self) -> str:
        """The id, or the line where there is none."""
        return f"line {self.line}" if self.id is None else self.id


@dataclass(frozen=True, slots=True)
class Survey:
    """What a file holds.

    Attributes:
        chats: lines that are not blank.
        replies: in all of them.
    """

    chats: int
    replies: int


def read(stream: IO[bytes], name: str) -> Iterator[Chat]:
    """The chats of a stream, in order; blank lines are skipped.

    Args:
        stream: UTF-8, with or without a byte-order mark, any line ends but lone CR.
        name: of the file, for messages.

    Raises:
        InputError: at the first line that is no chat, with every fault of that line; or no chat at all.
    """
    for found in _parsed(stream, name):
        if not isinstance(found, Chat):
            raise InputError(faults=found)
        yield found


def survey(stream: IO[bytes], name: str) -> Survey:
    """Read to the end and keep only counts: faults are found before any work is done.

    Raises:
        InputError: lines that are no chats, with at most eight faults; or no chat at all.
    """
    chats = replies = 0
    faults: list[Fault] = []
    for found in _parsed(stream, name):
        if isinstance(found, Chat):
            chats += 1
            replies += len(found.turns)
            continue
        faults += found
        if len(faults) >= MOST_FAULTS:
            last = faults[MOST_FAULTS - 1]
            more = Fault(name, last.line, None, "", "too many faults; checked no further than here")
            raise InputError(faults=(*faults[: MOST_FAULTS - 1], more))
    if faults:
        raise InputError(faults=faults)
    return Survey(chats, replies)


# --- lines --------------------------------------------------------------------------------------


def _parsed(stream: IO[bytes], name: str) -> Iterator[Chat | tuple[Fault, ...]]:
    number, empty = 0, True
    while line := stream.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            message = f"longer than {LONGEST_LINE // 2**20} MiB; each line must hold one chat"
            yield (Fault(name, number, None, "", message),)
            return
        line = line.removeprefix(_BOM).strip()
        if line:
            empty = False
            yield _Line(name, number).chat(line)
    if empty:
        raise InputError(f'{name}: holds no chat; each line must hold one: {{"messages": [...]}}')


class _Line:
    """One line on its way to a chat; collects what is wrong with it."""

    def __init__(self, name: str, number: int) -> None:
        self._name = name
        self._number = number
        self._faults: list[Fault] = []
        self._tools = self._parts = self._changed = self._cut = 0

    def chat(self, line: bytes) -> Chat | tuple[Fault, ...]:
        value = self._json(line)
        chat_id = self._id(value)
        said = self._messages(value) if not self._faults else []
        if self._faults:
            return tuple(self._faults)
        turns = self._turns(said)
        return Chat(self._number, chat_id, turns, self._tools, self._parts, self._changed, self._cut)

    @property
    def _hopeless(self) -> bool:
        """Enough faults to report: a line of millions of wrong things must not become as many faults."""
        return len(self._faults) >= MOST_FAULTS

    def _fault(self, field: str, message: str, column: int | None = None) -> None:
        self._faults.append(Fault(self._name, self._number, column, field, message))

    def _json(self, line: bytes) -> Any:
        try:
            # Half characters written as bytes pass here and are replaced below, like escaped ones.
            return json.loads(line.decode("utf-8", "surrogatepass"), strict=False)
        except UnicodeDecodeError as error:
            self._fault("", f"not UTF-8 (byte {error.start + 1} of the line); save the file as UTF-8")
        except json.JSONDecodeError as error:
            message = f"not JSON ({error.msg}, column {error.colno}); each line must hold one whole chat"
            self._fault("", message, error.colno)
        except RecursionError:
            self._fault("", "nested too deeply; a chat is a flat list of messages")
        except ValueError as error:
            self._fault("", f"not JSON ({error}); each line must hold one whole chat")
        return None

    def _id(self, value: Any) -> str | None:
        given = value.get("id") if isinstance(value, dict) else None
        if given is None:
            return None
        if isinstance(given, bool) or not isinstance(given, str | int):
            self._fault("id", "must be text or a whole number")
            return None
        return self._clean(str(given))

    def _messages(self, value: Any) -> list[tuple[str, str]]:
        """(role, text) of all that user and assistant say."""
        where, messages = "messages", value
        if isinstance(value, dict):
            if "messages" not in value:
                self._fault("messages", 'missing; a line is {"messages": [...]} or a list of messages')
                return []
            messages = value["messages"]
        else:
            where = ""
        if not isinstance(messages, list):
            self._fault(where, "must be a list of messages, each with role and content")
            return []
        if not where and any(isinstance(one, list) or "messages" in one for one in _things(messages)):
            self._fault("", "is a list of chats; write each chat on a line of its own")
            return []
        found = []
        for index, message in enumerate(messages):
            if self._hopeless:
                break
            said = self._message(f"{where}[{index}]", message)
            if said is not None:
                found.append(said)
        return found

    def _message(self, where: str, message: Any) -> tuple[str, str] | None:
        if not isinstance(message, dict):
            self._fault(where, "must be an object with role and content")
            return None
        role = message.get("role")
        if role not in _ROLES:
            given = "missing" if role is None else "unknown"
            self._fault(f"{where}.role", f"{given}; must be one of {', '.join(_ROLES)}")
            return None
        if role in _TOOLS:
            self._tools += 1
            return None
        if role not in _SPEAKERS:
            return None
        calls = bool(message.get("tool_calls") or message.get("function_call"))
        content = message.get("content")
        if not content and calls:
            self._tools += 1
            return None
        if content is None and isinstance(message.get("refusal"), str):
            content = message["refusal"]
        text = self._text(f"{where}.content", content)
        return None if text is None else (role, self._clean(text))

    def _text(self, where: str, content: Any) -> str | None:
        if isinstance(content, str):
            return content
        if not isinstance(content, list):
            self._fault(where, "must be text" if content is not None else "missing; must be text")
            return None
        pieces = []
        for index, part in enumerate(content):
            if self._hopeless:
                break
            if isinstance(part, str):
                pieces.append(part)
            elif not isinstance(part, dict) or not isinstance(part.get("type"), str):
                self._fault(f"{where}[{index}]", "must be text or a part with a type")
            elif part["type"] not in _TEXT_PARTS:
                self._parts += 1
            elif not isinstance(part.get("text"), str):
                self._fault(f"{where}[{index}].text", "must be text")
            else:
                pieces.append(part["text"])
        return "\n\n".join(pieces)

    def _clean(self, text: str) -> str:
        whole, flags = clean(text)
        self._changed += "cleaned" in flags
        self._cut += "cut" in flags
        return whole

    def _turns(self, said: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        """Pairs of what one side said in a row and what the other answered in a row."""
        turns: list[tuple[str, str]] = []
        asked: list[str] = []
        answered: list[str] = []
        for role, text in said:
            if role == "user":
                if answered:
                    turns.append((self._joined(asked), self._joined(answered)))
                    asked, answered = [], []
                asked.append(text)
            else:
                answered.append(text)
        if answered:
            turns.append((self._joined(asked), self._joined(answered)))
        return tuple(turns)

    def _joined(self, texts: list[str]) -> str:
        """One text, no longer than one message may be: what is read at once has to fit the memory."""
        whole = "\n\n".join(text for text in texts if text)
        if len(whole) <= MAX_REPLY:
            return whole
        self._cut += 1
        return whole[:MAX_REPLY]


def _things(values: list[Any]) -> Iterator[Any]:
    return (value for value in values if isinstance(value, dict | list))
