"""A strict reader of YAML: a file becomes a tree of raw texts with places, or clear faults.

Only the parser's events are used; nothing is constructed, so no text turns into a number, a date or an
object behind the author's back. Limits are checked while events arrive, before a tree exists. What a
scalar means is decided later, by the type of the field it stands in (`validation.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from echosim.errors import Fault
from echosim.inputs.document import BadNode, Document, Entry, ListNode, MapNode, Node, ScalarNode, shown
from echosim.inputs.missing_file import missing

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20
MAX_NODES = 5_000


def read(path: Path | str) -> Document:
    """The tree of one YAML file and every fault of its YAML; raises nothing for a user's mistake."""
    name = str(path)
    data = _bytes(Path(path))
    if isinstance(data, str):
        return _refused(name, None, data)
    if len(data) > MAX_BYTES:
        return _refused(name, None, f"larger than {MAX_BYTES // 1024} KiB, the limit for one file")
    bom = b"\xef\xbb\xbf"
    start = len(bom) if data.startswith(bom) else 0
    try:
        text = data[start:].decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, start + error.start) + 1
        return _refused(name, line, f"not UTF-8 at byte {start + error.start}; save the file as UTF-8")
    return parse(text, name)


def parse(text: str, path: str) -> Document:
    """As `read`, for text at hand; `path` is only a name."""
    lines = tuple(text.split("\n"))
    faults = [*_unprintable(lines, path), *_conflict_marks(lines, path)]
    if faults:
        return Document(path, None, lines, tuple(faults))
    tree = _Tree(path)
    try:
        for event in _events(text):
            tree.take(event)
    except _StopReadingError:
        return Document(path, None, lines, tuple(tree.faults))
    except Exception as error:
        # The parser raises its own errors and, on odd text, plain ValueErrors; both are the file's fault.
        fault = _syntax_fault(error, path, len(lines))
        return Document(path, None, lines, (*tree.faults, fault))
    blank = isinstance(tree.root, ScalarNode) and not tree.root.text and not tree.root.quoted
    if tree.root is None or blank:
        return Document(path, None, lines, (Fault(path, None, None, "", "the file is empty"),))
    return Document(path, tree.root, lines, tuple(tree.faults))


def _refused(path: str, line: int | None, message: str) -> Document:
    return Document(path, None, (), (Fault(path, line, None, "", message),))


def _bytes(path: Path) -> bytes | str:
    """The first bytes of a regular file, or why there are none."""
    try:
        if path.is_symlink() and not path.exists():
            return f"is a link to {path.readlink()}, which does not exist"
        if path.is_dir():
            return "is a folder; name a YAML file"
        if not path.exists():
            return missing(path)
        if not path.is_file():
            return "is not a regular file"
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return f"cannot be read: {reason}"


# Everything below U+0020 but tab and line end, DEL, C1, half characters, non-characters.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")


def _unprintable(lines: tuple[str, ...], path: str) -> Iterator[Fault]:
    for number, line in enumerate(lines, 1):
        if match := _UNPRINTABLE.search(line):
            message = f"holds the control character U+{ord(match[0]):04X}; remove it"
            yield Fault(path, number, match.start() + 1, "", message)


_CONFLICT = re.compile(r"(?:<{7}|>{7}|\|{7})(?: |$)|={7}$")


def _conflict_marks(lines: tuple[str, ...], path: str) -> Iterator[Fault]:
    for number, line in enumerate(lines, 1):
        if _CONFLICT.match(line):
            message = f"version-control conflict mark '{line[:7]}'; keep one side and remove the marks"
            yield Fault(path, number, 1, "", message)


def _events(text: str) -> Iterator[Any]:
    from ruamel.yaml import YAML

    return iter(YAML(typ="safe", pure=True).parse(text))


class _StopReadingError(Exception):
    """The rest of the file is not worth reading; the fault is recorded."""


@dataclass
class _Open:
    """A list or mapping whose end has not come yet."""

    line: int
    column: int
    is_map: bool
    bad: bool
    items: list[Node] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)
    key: ScalarNode | None = None


class _Tree:
    """Folds events into nodes with an own stack, so that depth costs no recursion."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.root: Node | None = None
        self.faults: list[Fault] = []
        self._open: list[_Open] = []
        self._nodes = 0
        self._documents = 0

    def take(self, event: Any) -> None:
        """Use one event, by the name of its class."""
        handler: Callable[[Any, int, int], None] | None = getattr(self, f"_{type(event).__name__}", None)
        if handler is not None:
            handler(event, event.start_mark.line + 1, event.start_mark.column + 1)

    def _note(self, line: int, column: int, message: str) -> None:
        self.faults.append(Fault(self.path, line, column, "", message))

    def _stop(self, line: int, column: int, message: str) -> None:
        self._note(line, column, message)
        raise _StopReadingError

    def _DocumentStartEvent(self, event: Any, line: int, column: int) -> None:  # noqa: N802
        self._documents += 1
        if self._documents > 1:
            self._stop(line, column, "a second document starts here; only one document per file is allowed")
        if event.version or event.tags:
            self._note(1, 1, "directives (%YAML, %TAG) are not allowed")

    def _AliasEvent(self, event: Any, line: int, column: int) -> None:  # noqa: N802
        self._note(line, column, f"aliases (*{shown(event.anchor)}) are not allowed; write the value out")
        self._count(line, column)
        self._put(BadNode(line, column))

    def _ScalarEvent(self, event: Any, line: int, column: int) -> None:  # noqa: N802
        self._count(line, column)
        bad = self._tagged(event, line, column)
        quoted = bool(event.style)
        # A block text ends with a line end that its author did not mean as part of the text.
        text = event.value.rstrip("\n") if event.style in ("|", ">") else event.value
        self._put(BadNode(line, column) if bad else ScalarNode(_whole(text), quoted, line, column))

    def _SequenceStartEvent(self, event: Any, line: int, column: int) -> None:  # noqa: N802
        self._start(event, line, column, is_map=False)

    def _MappingStartEvent(self, event: Any, line: int, column: int) -> None:  # noqa: N802
        self._start(event, line, column, is_map=True)

    def _SequenceEndEvent(self, _event: Any, _line: int, _column: int) -> None:  # noqa: N802
        done = self._open.pop()
        self._put(
            BadNode(done.line, done.column)
            if done.bad
            else ListNode(tuple(done.items), done.line, done.column)
        )

    def _MappingEndEvent(self, _event: Any, _line: int, _column: int) -> None:  # noqa: N802
        done = self._open.pop()
        entries = tuple(done.entries.values())
        self._put(BadNode(done.line, done.column) if done.bad else MapNode(entries, done.line, done.column))

    def _start(self, event: Any, line: int, column: int, *, is_map: bool) -> None:
        self._count(line, column)
        if len(self._open) >= MAX_DEPTH:
            self._stop(line, column, f"nested deeper than {MAX_DEPTH} levels, the limit")
        if self._open and self._open[-1].is_map and self._open[-1].key is None:
            self._stop(line, column, "a field name must be plain text, not a list or mapping")
        self._open.append(_Open(line, column, is_map, self._tagged(event, line, column)))

    def _count(self, line: int, column: int) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            self._stop(line, column, f"more than {MAX_NODES} values and field names, the limit for one file")

    def _tagged(self, event: Any, line: int, column: int) -> bool:
        if event.anchor is not None:
            self._note(line, column, f"anchors (&{shown(event.anchor)}) are not allowed; write the value out")
        if event.tag is None:
            return False
        tag = str(event.tag).replace("tag:yaml.org,2002:", "!!")
        self._note(line, column, f"unknown tag {shown(tag)}; tags are not allowed")
        return True

    def _put(self, node: Node) -> None:
        if not self._open:
            self.root = node
            return
        parent = self._open[-1]
        if not parent.is_map:
            parent.items.append(node)
        elif parent.key is None:
            if not isinstance(node, ScalarNode) or not node.text:
                self._stop(node.line, node.column, "a field name must be plain text")
                return
            parent.key = node
        else:
            self._field(parent, parent.key, node)
            parent.key = None

    def _field(self, parent: _Open, key: ScalarNode, node: Node) -> None:
        first = parent.entries.get(key.text)
        if key.text == "<<" and not key.quoted:
            self._note(key.line, key.column, "merge keys (<<) are not allowed; write the fields out")
        elif first is not None:
            message = f"duplicate key '{shown(key.text)}' on line {key.line} (first on line {first.line})"
            self._note(key.line, key.column, message)
        else:
            parent.entries[key.text] = Entry(key.text, key.line, key.column, node)


def _whole(text: str) -> str:
    """Joins the two escaped halves of a character (`\\ud83d\\ude00`); a lone half stays as it is."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    return text


_PLAIN_WORDS: tuple[tuple[str, str], ...] = (
    (r"character '\\t'", "a tab where spaces are expected; indent with spaces"),
    (r"scanning a quoted scalar", "the quote opened here is never closed"),
    (
        r"mapping values are not allowed",
        "a ':' is not expected here; put text that holds ': ' in quotes, or check the indentation",
    ),
    (r"sequence entries are not allowed", "a '- ' is not expected here; start the list on its own line"),
    (
        r"expected ',' or '([\]}])'",
        "expected ',' or '{0}'; the bracket opened on line {line} is not closed before this",
    ),
    (r"cannot start any token", "text cannot start with '{char}'; put it in quotes"),
    (
        r"expected <block end>",
        "expected a new field or the end here; check the indentation, and double a quote inside quotes",
    ),
    (r"could not find expected ':'", "expected ':' after the field name"),
)


def _syntax_fault(error: Exception, path: str, last_line: int) -> Fault:
    """The parser's complaint in plain words, with its place."""
    said = f"{getattr(error, 'context', '') or ''} {getattr(error, 'problem', '') or ''}".strip()
    mark = getattr(error, "problem_mark", None)
    opened = getattr(error, "context_mark", None)
    if "quoted scalar" in said:
        mark = opened
    line, column = (min(mark.line + 1, last_line), mark.column + 1) if mark else (1, None)
    for pattern, words in _PLAIN_WORDS:
        if match := re.search(pattern, said):
            char = re.search(r"character '(.+?)' that", said)
            message = words.format(
                *match.groups(), line=opened.line + 1 if opened else line, char=char[1] if char else "?"
            )
            return Fault(path, line, column, "", message)
    return Fault(path, line, column, "", f"not valid YAML: {said or 'unreadable'}")
