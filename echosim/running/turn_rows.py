"""A finished turn as a row of the run file, and rows as the conversation they are.

Each row carries a digest of all that is in it, so that a byte which a disc has changed is told and never
scored. Readings, minds and reports are stored as the bare values of their fields, in order: names would
take more room than the numbers. So a new field of theirs goes behind the others and has a default.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from echosim import draws
from echosim.records import BeliefState, Reading, Record, Report, Turn

R = TypeVar("R", bound=Record)

COLUMNS = (
    "trial, number, user, act, side, reply, flags, reading, state, user_flags, report, before, memory, digest"
)
INSERT = f"INSERT INTO turns ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
OF_TRIAL = f"SELECT {COLUMNS} FROM turns WHERE trial = ? ORDER BY number"  # noqa: S608 - constants

Row = Sequence[Any]

_json = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


class DamagedError(Exception):
    """Rows that are not as they were written.

    Attributes:
        sound: the turns before the first that is damaged.
    """

    def __init__(self, what: str, sound: tuple[Turn, ...]) -> None:
        self.sound = sound
        super().__init__(what)


def start_of(turn: Turn) -> str:
    """The mind before the first turn, as the trial's own row keeps it."""
    return packed(turn.before)


def row_of(trial: str, turn: Turn) -> Row:
    """One turn, as COLUMNS name it; the mind before it is left out where it is that after the last one."""
    row = (
        trial,
        turn.index,
        turn.user,
        turn.act,
        turn.side,
        turn.reply,
        json.dumps(turn.flags),
        packed(turn.reading),
        _changed(turn.after, turn.before),
        json.dumps(turn.user_flags),
        None if turn.report is None else packed(turn.report),
        packed(turn.before) if turn.after_gap else None,
        turn.memory,
    )
    return (*row, _digest(row, start_of(turn) if turn.index == 1 else None))


def rows_of(database: sqlite3.Connection, trial: str) -> Iterable[Row]:
    """The rows of one trial in order."""
    return database.execute(OF_TRIAL, (trial,))


def fold(start: str | None, rows: Iterable[Row]) -> tuple[Turn, ...]:
    """The conversation that these rows are.

    Args:
        start: the mind before the first turn, from the trial's row; None where no turn was held.
        rows: of one trial, in order.

    Raises:
        DamagedError: a row is missing or changed.
    """
    turns: list[Turn] = []
    mind: BeliefState | None = None
    for row in rows:
        try:
            _check(row, len(turns) + 1, start)
            if mind is None:
                mind = unpacked(BeliefState, start or "")
            turns.append(_turn(row, mind))
        except ValueError as error:
            what = str(error) if isinstance(error, _ChangedError) else f"turn {row[1]} cannot be read"
            raise DamagedError(what, tuple(turns)) from error
        mind = turns[-1].after
    return tuple(turns)


def check(start: str | None, rows: Iterable[Row]) -> None:
    """The same look at rows that are only copied.

    Raises:
        DamagedError: a row is missing or changed.
    """
    try:
        for number, row in enumerate(rows, start=1):
            _check(row, number, start)
    except _ChangedError as error:
        raise DamagedError(str(error), ()) from error


class _ChangedError(ValueError):
    """A row that is not where, or not what, it was."""


def _check(row: Row, number: int, start: str | None) -> None:
    if row[1] != number:
        raise _ChangedError(f"turn {number} is missing")
    if row[-1] is not None and row[-1] != _digest(row[:-1], start if number == 1 else None):
        raise _ChangedError(f"turn {number} is not what was written")
    if start is None:
        raise _ChangedError("the belief before turn 1 is missing")


def _turn(row: Row, mind: BeliefState) -> Turn:
    _, number, user, act, side, reply, flags, reading, state, user_flags, report, before, memory, _ = row
    if before is not None:
        mind = unpacked(BeliefState, before)
    return Turn(
        index=number,
        user=user,
        act=act,
        side=side,
        reply=reply,
        flags=tuple(json.loads(flags)),
        reading=unpacked(Reading, reading),
        before=mind,
        after=unpacked(BeliefState, state, mind),
        user_flags=tuple(json.loads(user_flags)),
        report=None if report is None else unpacked(Report, report),
        after_gap=before is not None,
        memory=memory,
    )


def packed(record: Record) -> str:
    """The values of a record's fields as a JSON list, without the defaults at its end."""
    fields = type(record).model_fields
    values = [getattr(record, name) for name in fields]
    for field in reversed(fields.values()):
        if values[-1] != field.default:
            break
        values.pop()
    return _json(values)


def _changed(state: BeliefState, before: BeliefState) -> str:
    """Likewise of a mind, with null for all that is as it was before."""
    return _json([None if now == then else now for (_, now), (_, then) in zip(state, before, strict=True)])


def unpacked(kind: type[R], text: str, before: R | None = None) -> R:
    """The record that was packed.

    Args:
        kind: what it is.
        text: what was stored of it.
        before: what null stands for, where it was stored as a change.

    Raises:
        ValueError: it is no such record.
    """
    found = json.loads(text)
    if isinstance(found, list):
        found = dict(zip(kind.model_fields, found, strict=False))
        if before is not None:
            found = {name: getattr(before, name) if v is None else v for name, v in found.items()}
    return kind.model_validate(found)  # format 3 and older have each value under its name


def _digest(row: Row, start: str | None) -> str:
    """Sixteen characters; the mind before the first turn is part of that turn."""
    return draws.key(*("-" if value is None else f"={value}" for value in (*row, start)))[:16]
