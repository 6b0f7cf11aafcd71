"""What can still be read of a damaged run, in a new folder that a run goes on from.

Row by row, each by its key, so that one bad page costs what lies on it and no more.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from echosim.errors import EchosimError, StorageError
from echosim.inputs import frozen_study, plan
from echosim.records import Record, Trial
from echosim.running import kept_replies, run_folder, run_lock, turn_rows
from echosim.running.new_run import CALL_COLUMNS, READING_COLUMNS, HeldTrial, new_run

_FACTS = ("reader", "encoder", "version", "date", "generation", "channels")
_TRIAL = "SELECT start, status, reason, resumable, returned_model{more} FROM main.trials WHERE id = ?"
_NEXT = (
    f"SELECT rowid, {turn_rows.COLUMNS} FROM main.turns NOT INDEXED "  # noqa: S608 - constants
    "WHERE rowid >= ? ORDER BY rowid LIMIT 1"
)
_NEXT_OF_TRIAL = (
    f"SELECT {turn_rows.COLUMNS} FROM turns WHERE trial = ? AND number >= ? ORDER BY number LIMIT 1"  # noqa: S608
)
_GIVEN_UP = 100_000
"""Rows in a row that cannot be read; what comes after them is not looked for."""
_IDS = ("SELECT id FROM main.trials ORDER BY id", "SELECT id FROM main.trials ORDER BY id DESC")
"""From both ends: between them may lie a page that cannot be read."""


class Again(Record):
    """A trial that is held again, in part or from its beginning."""

    trial: str
    persona: str
    target: str
    seed: int
    kept: int
    """Turns that are kept; it goes on after them."""
    reason: str


class Salvage(Record):
    """What was saved of a damaged run."""

    run: str
    out: str
    trials: int
    turns: int
    calls_lost: int
    """Paid calls whose rows cannot be read; they are missing in what the run has spent."""
    again: tuple[Again, ...]


def salvage(folder: Path, out: Path) -> Salvage:
    """Copy what is sound into a new run folder; the damaged one is left as it is.

    Scores are not copied: `echosim score` makes them from the transcripts.

    Args:
        folder: a damaged run.
        out: the new folder.

    Raises:
        InputError: no run there, or no room for a new one.
        StorageError: nothing can be read, or `out` cannot be written.
    """
    with closing(run_folder.connect_as_it_is(folder)) as database:
        study, facts = _basis(folder, database)
        planned = _planned(database, study, facts["reader"])
        again: list[Again] = []
        turns = 0
        with closing(sqlite3.connect("")) as copy, new_run(out, study, facts) as made:
            kept = _readable_turns(database, copy)
            for place, trial in enumerate(planned):
                held, reason = _held(database, kept, trial, int(facts.get("generation", "1")))
                made.add_trial(place, held)
                made.add_readings(_readings(database, trial.id, len(held.rows)))
                turns += len(held.rows)
                if reason is not None:
                    again.append(_again(trial, len(held.rows), reason))
            calls, lost = _calls(database)
            made.add_calls(calls)
            made.add_replies(_readable(database, kept_replies.OF_ALL))
            made.add_past(_readable(database, "SELECT generation, facts FROM past"))
    return Salvage(
        run=str(folder), out=str(out), trials=len(planned), turns=turns, calls_lost=lost, again=tuple(again)
    )


def obstacle(folder: Path) -> str | None:
    """Why nothing can be salvaged of a run, or None where something can; changes nothing."""
    try:
        with closing(run_folder.connect_as_it_is(folder)) as database:
            _basis(folder, database)
    except EchosimError as error:
        return str(error)
    return None


def _basis(folder: Path, database: sqlite3.Connection) -> tuple[str, dict[str, str]]:
    """The study and what else is known of the run as a whole, without which nothing can be salvaged."""
    if run_lock.is_held(folder):
        raise StorageError(f"{folder}: run is in use; stop it first")
    try:
        database.execute("PRAGMA writable_schema=ON")  # lets SQLite read a file that was cut off
        run_folder.see_the_current(database)
    except run_folder.UNREADABLE as error:
        raise StorageError(f"{folder / run_folder.DATABASE}: nothing can be read of it: {error}") from error
    facts = {key: value for key in _FACTS if (value := _fact(database, key)) is not None}
    study = _study(folder, database)
    if "reader" not in facts:
        raise StorageError(
            f"{folder / run_folder.DATABASE}: nobody can tell any more which reader the users had; "
            "hold the study again in another folder"
        )
    return study, facts


def _again(trial: Trial, kept: int, reason: str) -> Again:
    return Again(
        trial=trial.id,
        persona=trial.persona,
        target=trial.target,
        seed=trial.seed,
        kept=kept,
        reason=reason,
    )


def _fact(database: sqlite3.Connection, key: str) -> str | None:
    row = _one(database, "SELECT value FROM meta WHERE key = ?", key)
    return None if row is None else str(row[0])


def _study(folder: Path, database: sqlite3.Connection) -> str:
    """The study in the database; where that is gone, the copy beside it."""
    text = _fact(database, "study")
    if text is not None:
        try:
            frozen_study.load_resolved(text)
            return text
        except StorageError:
            pass
    try:
        text = (folder / run_folder.STUDY).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(
            f"{folder}: neither {run_folder.DATABASE} nor {run_folder.STUDY} says any more what the study was"
        ) from error
    frozen_study.load_resolved(text, str(folder / run_folder.STUDY))
    return text


def _planned(database: sqlite3.Connection, study: str, reader: str) -> list[Trial]:
    """All trials that the run had, in the order of its plan; what has no row any more as the study has it."""
    meant = {trial.id: trial for trial in plan.trials(frozen_study.load_resolved(study), reader)}
    stored = dict.fromkeys(row[0] for query in _IDS for row in _readable(database, query))
    if stored and not meant.keys() & stored:
        meant = {}  # another version made this run and named its trials otherwise
    found = (meant.get(name) or _recorded(database, name) for name in {**meant, **stored})
    return [trial for trial in found if trial is not None]


def _recorded(database: sqlite3.Connection, name: str) -> Trial | None:
    row = _one(database, "SELECT record FROM main.trials WHERE id = ?", name)
    try:
        return None if row is None else Trial.model_validate_json(row[0])
    except ValueError:
        return None


def _held(
    database: sqlite3.Connection, turns: sqlite3.Connection, trial: Trial, current: int
) -> tuple[HeldTrial, str | None]:
    """What is sound of one trial, and why it is held again if it is."""
    older = run_folder.lacking(database, "trials")
    row = _one(database, _TRIAL.format(more=", 1" if older else ", generation"), trial.id)
    if row is None:
        return HeldTrial(trial, None, None, None, True, None, (), current), "its row cannot be read"
    start, status, reason, resumable, returned_model, generation = row
    rows, fault = _rows(turns, trial.id)
    try:
        sound = turn_rows.fold(start, rows)
    except turn_rows.DamagedError as damage:
        sound, fault = damage.sound, str(damage)
    if fault is None and status is not None and _had(database, trial, status) != len(sound):
        fault = f"turns after turn {len(sound)} cannot be read"
    kept = tuple(rows[: len(sound)])
    begun = start if kept else None
    if fault is not None:
        return HeldTrial(trial, begun, None, None, True, None, kept, generation), fault
    return HeldTrial(trial, begun, status, reason, bool(resumable), returned_model, kept, generation), None


def _had(database: sqlite3.Connection, trial: Trial, status: str) -> int | None:
    """How many turns a trial had when it ended; None where nobody can tell."""
    if status == "complete":
        return trial.turns
    row = _one(database, "SELECT max(number) FROM turns WHERE trial = ?", trial.id)
    return None if row is None else row[0] or 0


def _rows(turns: sqlite3.Connection, trial: str) -> tuple[list[turn_rows.Row], str | None]:
    """The rows of one trial up to the first that cannot be read, and what stopped there."""
    rows: list[turn_rows.Row] = []
    while True:
        try:
            row = turns.execute(_NEXT_OF_TRIAL, (trial, len(rows) + 1)).fetchone()
        except run_folder.UNREADABLE:
            return rows, f"turn {len(rows) + 1} cannot be read"
        if row is None:
            return rows, None
        rows.append(row)
        if row[1] != len(rows):
            return rows, None  # a gap: folding tells


def _readable_turns(database: sqlite3.Connection, copy: sqlite3.Connection) -> sqlite3.Connection:
    """Where to look turns up: in a copy of all that can be read without the index, which may be gone.

    Format 2 and older keep rows in the index itself; there is nothing to be had beside it.
    """
    try:
        database.execute("SELECT rowid FROM main.turns LIMIT 1").fetchone()
    except sqlite3.OperationalError as error:
        if "rowid" in str(error):
            return database
    except run_folder.UNREADABLE:
        pass
    copy.execute(f"CREATE TABLE turns ({turn_rows.COLUMNS}, PRIMARY KEY (trial, number))")
    place = missed = 0
    while missed < _GIVEN_UP:
        try:
            row = database.execute(_NEXT, (place + 1,)).fetchone()
        except run_folder.UNREADABLE:
            place, missed = place + 1, missed + 1
            continue
        if row is None:
            break
        place, missed = row[0], 0
        copy.execute(turn_rows.INSERT.replace("INSERT", "INSERT OR IGNORE", 1), row[1:])
    return copy


def _readings(database: sqlite3.Connection, trial: str, kept: int) -> list[Any]:
    query = f"SELECT {READING_COLUMNS} FROM readings WHERE trial = ? AND number <= ?"  # noqa: S608 - constants
    return list(_readable(database, query, trial, kept))


def _calls(database: sqlite3.Connection) -> tuple[list[Any], int]:
    """Paid calls that can be read, and how many cannot."""
    row = _one(database, "SELECT max(number) FROM calls")
    last = 0 if row is None or row[0] is None else row[0]
    rows = []
    lost = 0
    for number in range(1, last + 1):
        row = _one(database, f"SELECT {CALL_COLUMNS} FROM calls WHERE number = ?", number)  # noqa: S608 - constants
        if row is None:
            lost += 1
        else:
            rows.append(row)
    return rows, lost


def _one(database: sqlite3.Connection, query: str, *values: Any) -> Any | None:
    return next(_readable(database, query, *values), None)


def _readable(database: sqlite3.Connection, query: str, *values: Any) -> Iterator[Any]:
    """Rows up to the first that cannot be read."""
    try:
        yield from database.execute(query, values)
    except run_folder.UNREADABLE:
        return
