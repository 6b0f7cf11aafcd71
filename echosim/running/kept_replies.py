"""Replies that were paid for, until their turn is on disc: who goes on after a cut hears them again, unasked.

A turn may take several calls (a line, questions about belief, the target), and what a kill finds between
the first of them and the commit of the turn would have to be paid for twice.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from echosim import draws
from echosim.records import Outcome
from echosim.running.asking import Reply

COLUMNS = "trial, place, request, reply, digest"
OF_ALL = f"SELECT {COLUMNS} FROM replies ORDER BY trial, place"  # noqa: S608 - constants
OF_TRIAL = f"SELECT {COLUMNS} FROM replies WHERE trial = ? ORDER BY place"  # noqa: S608 - constants
INSERT = f"INSERT OR REPLACE INTO replies ({COLUMNS}) VALUES (?, ?, ?, ?, ?)"  # noqa: S608 - constants
DELETE = "DELETE FROM replies WHERE trial = ?"

FINAL: tuple[Outcome, ...] = ("ok", "truncated", "refused", "filtered", "too_long")
"""What is kept; all else is asked again anyway."""

Row = tuple[str, int, str, str, str]


@dataclass(frozen=True, slots=True)
class Kept:
    """A reply, and to which question.

    Attributes:
        trial: id of the trial.
        place: of the question among those since the trial's last stored turn, 1-based.
        request: fingerprint of what was asked; see `asking.Prompt`.
        reply: what came back.
    """

    trial: str
    place: int
    request: str
    reply: Reply

    @property
    def row(self) -> Row:
        """As COLUMNS name it."""
        said = self.reply
        values = [said.outcome, said.text, said.flags, said.returned_model, said.detail]
        text = json.dumps(values, ensure_ascii=False)
        row = (self.trial, self.place, self.request, text)
        return (*row, _digest(*row))

    @classmethod
    def of(cls, row: Row) -> Kept | None:
        """None where the row is not as it was written; the question is asked again."""
        trial, place, request, text, digest = row
        if digest != _digest(*row[:-1]):
            return None
        outcome, words, flags, returned_model, detail = json.loads(text)
        reply = Reply(outcome, words, tuple(flags), returned_model, attempts=0, detail=detail)
        return cls(trial, place, request, reply)


def _digest(*row: str | int) -> str:
    return draws.key(*row)[:16]


@dataclass(slots=True)
class _Talk:
    """What a trial has asked since its last stored turn."""

    asked: int = 0
    replies: dict[int, Kept] = field(default_factory=dict)


class KeptReplies:
    """Of all trials of a run, in the order in which each asked.

    Args:
        rows: what earlier sessions have left.
    """

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self._talks: dict[str, _Talk] = {}
        for row in rows:
            if (kept := Kept.of(row)) is not None:
                self.keep(kept)

    def ask(self, trial: str, request: str) -> tuple[int, Reply | None]:
        """The place of a trial's next question, and its answer if that was paid for already."""
        talk = self._talks.setdefault(trial, _Talk())
        talk.asked += 1
        kept = talk.replies.get(talk.asked)
        if kept is not None and kept.request == request:
            return talk.asked, kept.reply
        for place in [place for place in talk.replies if place >= talk.asked]:
            del talk.replies[place]  # the talk took another way: what came after is no answer any more
        return talk.asked, None

    def keep(self, kept: Kept) -> None:
        """A question was answered."""
        self._talks.setdefault(kept.trial, _Talk()).replies[kept.place] = kept

    def again(self, trial: str) -> None:
        """The trial goes on from its last stored turn, and asks the same questions."""
        if trial in self._talks:
            self._talks[trial].asked = 0

    def forget(self, trial: str) -> bool:
        """Its turn is stored, or it has ended; false where nothing was kept."""
        talk = self._talks.pop(trial, None)
        return talk is not None and (talk.asked > 0 or bool(talk.replies))
