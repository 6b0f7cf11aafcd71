"""A run folder made from what other folders hold: whole, or not there."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from echosim.errors import InputError
from echosim.records import Trial
from echosim.running import kept_replies, run_folder, run_lock, turn_rows

CALL_COLUMNS = (
    "trial, target, turn, attempt, request, reserved_prompt, reserved_completion, outcome, prompt_tokens, "
    "completion_tokens, estimated, detail"
)
READING_COLUMNS = "trial, number, reader, reading"
_CALL = f"INSERT INTO calls ({CALL_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
_READING = f"INSERT OR IGNORE INTO readings ({READING_COLUMNS}) VALUES (?, ?, ?, ?)"  # noqa: S608 - constants


@dataclass(frozen=True, slots=True)
class HeldTrial:
    """One trial as a run folder keeps it.

    Attributes:
        trial: its plan.
        start: the mind before turn 1 as JSON, or None where no turn was held.
        status: None where it has not ended.
        reason: why it is not complete.
        resumable: a later run takes it up again.
        returned_model: model name that the provider reported last.
        rows: its turns, as `turn_rows` has them.
        generation: the last plan that had it.
    """

    trial: Trial
    start: str | None
    status: str | None
    reason: str | None
    resumable: bool
    returned_model: str | None
    rows: tuple[turn_rows.Row, ...]
    generation: int


class NewRun:
    """A run in the making; see `new_run`."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def add_trial(self, place: int, held: HeldTrial) -> None:
        """A trial with its turns, at its place in the plan."""
        self._database.execute(
            "INSERT INTO trials (id, place, record, start, status, reason, resumable, returned_model, "
            "generation) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                held.trial.id,
                place,
                held.trial.model_dump_json(),
                held.start,
                held.status,
                held.reason,
                int(held.resumable),
                held.returned_model,
                held.generation,
            ),
        )
        self._database.executemany(turn_rows.INSERT, held.rows)

    def add_calls(self, rows: Iterable[Sequence[Any]]) -> None:
        """Paid calls, as CALL_COLUMNS name them; they are numbered anew."""
        self._database.executemany(_CALL, rows)

    def add_replies(self, rows: Iterable[kept_replies.Row]) -> None:
        """Replies that were paid for and are in no turn yet; the first of a kind stays."""
        self._database.executemany(kept_replies.INSERT.replace("REPLACE", "IGNORE", 1), rows)

    def add_readings(self, rows: Iterable[Sequence[Any]]) -> None:
        """Readings of other channels, as READING_COLUMNS name them; the first of a kind stays."""
        self._database.executemany(_READING, rows)

    def add_past(self, rows: Iterable[Sequence[Any]]) -> None:
        """(generation, facts) of earlier plans."""
        self._database.executemany("INSERT INTO past VALUES (?, ?)", rows)


def check_free(folder: Path) -> None:
    """Refuse a folder where no run can be made.

    Raises:
        InputError: it is a file, holds something else, or a run.
    """
    if run_folder.is_fresh(folder):
        return
    database = run_folder.connect_as_it_is(folder)
    try:
        if not run_folder.never_began(folder, database):
            raise InputError(f"{folder}: holds a run already; give another folder")
    except run_folder.UNREADABLE as error:
        raise run_folder.trouble(folder, error) from error
    finally:
        database.close()


@contextmanager
def new_run(folder: Path, study: str, facts: Mapping[str, str]) -> Iterator[NewRun]:
    """Make a run folder; what is added inside the block is there after it, all of it or nothing.

    Args:
        folder: none yet, or an empty one.
        study: the resolved study as text.
        facts: what else is known of the run as a whole.

    Raises:
        InputError: as `check_free`.
        StorageError: unwritable or full.
    """
    check_free(folder)
    run_folder.prepare(folder)
    lock = run_lock.acquire(folder, lambda: "another process")
    try:
        database = run_folder.connect(folder)
        try:
            database.execute("BEGIN IMMEDIATE")
            run_folder.create_tables(database)
            database.executemany(
                "INSERT OR REPLACE INTO meta VALUES (?, ?)", {**facts, "study": study}.items()
            )
            yield NewRun(database)
            run_folder.write_study(folder, study)
            database.execute("COMMIT")
        finally:
            database.close()
    except run_folder.UNREADABLE as error:
        raise run_folder.trouble(folder, error) from error
    finally:
        lock.release()
