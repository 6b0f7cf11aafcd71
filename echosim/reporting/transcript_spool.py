"""Rendered transcripts on disc, and the pages that they will stand on; in memory only what places them.

A transcript is rendered when its turn comes, by trial id, and shown in the order of the board, so the pieces
wait in one file. Up to `ON_ONE_PAGE` conversations stand on the report itself; more go on pages of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO

ON_ONE_PAGE = 1000
"""Most conversations that the report carries itself."""
TURNS_ON_ONE_PAGE = 20_000
"""Most turns of theirs; more would not open quickly."""
A_PAGE = 200
"""Conversations of a page of transcripts."""
TURNS_A_PAGE = 10_000
"""Turns after which such a page ends early; it has one conversation at least."""
FOLDER = "transcripts"


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """Where one conversation is kept, and what a search for it asks; sorted as the pages show it."""

    cell: int
    """Place of its cell on the board."""
    family: str
    role: int
    """Place among `page_data.ROLES`."""
    seed: int
    trial: str
    persona: str
    status: str
    stance: float | None
    """Mean over its live turns."""
    belief: float | None
    """Confidence after the last live turn, in [0, 1]."""
    turns: int
    offset: int
    length: int
    """Place in the file, bytes."""


@dataclass(slots=True)
class Spool:
    """Pieces of pages, written in one order and read in another.

    Attributes:
        stream: a file of its own, open for writing and reading.
        entries: of what was added, in that order.
    """

    stream: IO[bytes]
    entries: list[Entry]

    def add(self, text: bytes) -> tuple[int, int]:
        """Keep one rendered transcript; gives its place."""
        offset = self.stream.tell()
        self.stream.write(text)
        return offset, len(text)

    def read(self, entries: Sequence[Entry]) -> Iterator[str]:
        """The rendered transcripts of these entries."""
        for entry in entries:
            self.stream.seek(entry.offset)
            yield self.stream.read(entry.length).decode()

    def pages(self) -> list[list[Entry]]:
        """The entries in the order of the board: one list where the report carries them, else one a page."""
        ordered = sorted(
            self.entries, key=lambda entry: (entry.cell, entry.family, entry.role, entry.seed, entry.trial)
        )
        if len(ordered) <= ON_ONE_PAGE and sum(entry.turns for entry in ordered) <= TURNS_ON_ONE_PAGE:
            return [ordered]
        pages: list[list[Entry]] = [[]]
        turns = 0
        for entry in ordered:
            if pages[-1] and (len(pages[-1]) == A_PAGE or turns + entry.turns > TURNS_A_PAGE):
                pages.append([])
                turns = 0
            pages[-1].append(entry)
            turns += entry.turns
        return pages


def page_name(number: int) -> str:
    """File of a page of transcripts, as the report links it; pages are counted from 0."""
    return f"{FOLDER}/{number + 1:03d}.html"
