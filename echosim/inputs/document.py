"""A YAML file as a tree of raw texts, each with its place."""

from __future__ import annotations

from dataclasses import dataclass

from echosim.errors import Fault

Step = str | int


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """One text, as written: `quoted` is True for quotes and for block texts (`|`, `>`)."""

    text: str
    quoted: bool
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class ListNode:
    """A list."""

    items: tuple[Node, ...]
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One field of a mapping; line and column are those of the key."""

    key: str
    line: int
    column: int
    value: Node


@dataclass(frozen=True, slots=True)
class MapNode:
    """A mapping of fields, in file order; of a repeated key only the first entry."""

    entries: tuple[Entry, ...]
    line: int
    column: int

    def entry(self, key: str) -> Entry | None:
        """The entry of this key, or None."""
        return next((entry for entry in self.entries if entry.key == key), None)


@dataclass(frozen=True, slots=True)
class BadNode:
    """A value that was refused (alias, tag); its fault is already reported."""

    line: int
    column: int


Node = ScalarNode | ListNode | MapNode | BadNode


@dataclass(frozen=True, slots=True)
class Document:
    """What one file holds.

    Attributes:
        path: as the user named it.
        root: the top of the tree, or None where the file cannot be read as YAML at all.
        lines: the text, for checks that look at comments too.
        faults: everything wrong with the YAML itself.
    """

    path: str
    root: Node | None
    lines: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()

    def at(self, *steps: Step) -> Node | None:
        """The node at this path of keys and list indices, or None."""
        node = self.root
        for step in steps:
            if isinstance(node, MapNode) and isinstance(step, str):
                entry = node.entry(step)
                node = entry.value if entry else None
            elif isinstance(node, ListNode) and isinstance(step, int) and step < len(node.items):
                node = node.items[step]
            else:
                return None
        return node

    def text(self, *steps: Step) -> str | None:
        """Raw text of the scalar at this path, or None."""
        node = self.at(*steps)
        return node.text if isinstance(node, ScalarNode) else None

    def is_set(self, *steps: Step) -> bool:
        """True where this path holds anything but nothing."""
        node = self.at(*steps)
        return node is not None and not (isinstance(node, ScalarNode) and node.text in ("", "~", "null"))

    def length(self, *steps: Step) -> int:
        """Items of the list at this path; 0 where there is none."""
        node = self.at(*steps)
        return len(node.items) if isinstance(node, ListNode) else 0

    def place(self, *steps: Step) -> tuple[int | None, int | None]:
        """Line and column of this path; of its nearest parent where it is missing."""
        for end in range(len(steps), -1, -1):
            parent = self.at(*steps[: end - 1]) if end else None
            if isinstance(parent, MapNode) and (entry := parent.entry(str(steps[end - 1]))):
                return entry.line, entry.column
            node = self.at(*steps[:end])
            if node is not None:
                return node.line, node.column
        return None, None

    def fault(self, steps: tuple[Step, ...], message: str) -> Fault:
        """A fault of the field at this path."""
        line, column = self.place(*steps)
        return Fault(self.path, line, column, dotted(steps), message)


def dotted(steps: tuple[Step, ...]) -> str:
    """`("refuting", 2, "id")` as `refuting[2].id`; indices count from 0."""
    return "".join(f"[{s}]" if isinstance(s, int) else f".{s}" for s in steps).removeprefix(".")


def shown(text: str, most: int = 60) -> str:
    """Text fit for a message: one line, at most `most` characters, nothing invisible."""
    cut = text if len(text) <= most else f"{text[: most - 3]}..."
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in cut)
