"""Reading a run folder: transcripts one at a time, counts, scores. Changes nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from echosim.errors import InputError, StorageError
from echosim.records import Reading, Record, Score, Transcript, Trial, Turn
from echosim.running import run_folder, turn_rows
from echosim.running.budget import Spent
from echosim.running.doubt import Doubt, in_doubt
from echosim.study_records import Price

R = TypeVar("R", bound=Record)

UNFINISHED = "not finished; run again to resume"
"""The reason of a trial that has not ended."""


class StoredRun:
    """A run folder, open for reading; also while another process writes it.

    Args:
        folder: the run folder.

    Raises:
        InputError: no run there, or one of a newer version.
        StorageError: it cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._database = run_folder.connect_to_read(folder)

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def __enter__(self) -> StoredRun:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def study(self) -> str:
        """The resolved study as YAML text, as the run was made from it."""
        return self.facts()["study"]

    def facts(self) -> Mapping[str, str]:
        """What is known of the run as a whole: reader, encoder, version, date of the last turn."""
        facts = dict(self._rows("SELECT key, value FROM meta"))
        for key in ("study", "reader"):
            if key not in facts:
                raise damaged(self.folder, "meta", f"{key} is missing")
        return facts

    def counts(self) -> dict[str, int]:
        """Trials by status; "planned" for all and "unfinished" for those without one."""
        found = dict(self._rows("SELECT coalesce(status, 'unfinished'), count(*) FROM trials GROUP BY 1"))
        counts = {s: found.get(s, 0) for s in ("complete", "limited", "refused", "failed", "unfinished")}
        return {"planned": sum(counts.values()), **counts}

    def reasons(self) -> list[tuple[str, str, int]]:
        """(status, reason, trials) of all trials that are not complete, the most frequent first."""
        return self._rows(
            "SELECT status, coalesce(reason, ''), count(*) FROM trials "
            "WHERE status IS NOT NULL AND status != 'complete' GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2"
        )

    def unfinished(self) -> set[str]:
        """Trials that have not ended."""
        return {row[0] for row in self._rows("SELECT id FROM trials WHERE status IS NULL")}

    def trial_ids(self) -> list[str]:
        """All planned trials, sorted by id."""
        return [row[0] for row in self._rows("SELECT id FROM trials ORDER BY id")]

    def transcripts(self) -> Iterator[Transcript]:
        """All trials, sorted by id, one in memory at a time.

        A trial that has not ended yet is given as limited, with its turns so far.
        """
        for trial in self.trial_ids():
            yield self.transcript(trial)

    def transcript(self, trial: str) -> Transcript:
        """One trial.

        Args:
            trial: its id, or the beginning of one.

        Raises:
            InputError: none or several begin so.
        """
        found = self._rows(
            "SELECT id, record, start, status, reason, returned_model FROM trials "
            "WHERE id >= ? AND id < ? ORDER BY id LIMIT 2",
            (trial, trial + "\U0010ffff"),
        )
        if len(found) != 1:
            state = "no trial begins" if not found else "several trials begin"
            raise InputError(
                f"{self.folder}: {state} with '{trial}'; give an id as `echosim show` lists them"
            )
        name, record, start, status, reason, returned_model = found[0]
        turns = _turns(self.folder, self._database, name, start)
        try:
            found_trial = Trial.model_validate_json(record)
            if found_trial.id != name:
                raise ValueError("another id")
            return Transcript(
                trial=found_trial,
                status=status or "limited",
                reason=reason if status else UNFINISHED,
                turns=turns,
                returned_model=returned_model,
            )
        except ValueError as error:
            raise damaged(self.folder, f"trial {name}", "its row is not what was written") from error

    def readings(self, trial: str, reader: str) -> dict[int, Reading]:
        """Readings that another reader made of one trial, by turn."""
        return self.readings_as(Reading, trial, reader)

    def readings_as(self, kind: type[R], trial: str, reader: str) -> dict[int, R]:
        """The same for a channel that has a record of its own."""
        rows = self._rows(
            "SELECT number, reading FROM readings WHERE trial = ? AND reader = ? ORDER BY number",
            (trial, reader),
        )
        return {number: kind.model_validate_json(reading) for number, reading in rows}

    def scored_by(self) -> list[str]:
        """Readers whose scores the run keeps, sorted."""
        return [row[0] for row in self._rows("SELECT DISTINCT reader FROM scores ORDER BY reader")]

    def scores(self, reader: str) -> Iterator[Score]:
        """Scores made from one reader's readings, by trial and metric."""
        rows = self._database.execute(
            "SELECT trial, metric, value, reason FROM scores WHERE reader = ? ORDER BY trial, metric",
            (reader,),
        )
        for trial, metric, value, reason in rows:
            yield Score(trial=trial, metric=metric, value=value, reason=reason)

    def spent(self, prices: Mapping[str, Price | None]) -> Spent:
        """Paid calls of all sessions to these targets; calls in doubt count at what was reserved for them.

        Args:
            prices: by target label. Calls to others, as to a judge of the run, are not counted.
        """
        return spent(self._database, prices)

    def in_doubt(self, prices: Mapping[str, Price | None]) -> Doubt:
        """Calls that were under way when a session was cut off; they may have been billed.

        Args:
            prices: by label of the study's models.
        """
        return in_doubt(self._database, prices)

    def aside(self) -> int:
        """Trials of earlier plans that the present one has not; they stand on no board."""
        return int(
            self._rows("SELECT (SELECT count(*) FROM main.trials) - (SELECT count(*) FROM trials)")[0][0]
        )

    def _rows(self, query: str, values: tuple[Any, ...] = ()) -> list[Any]:
        try:
            return self._database.execute(query, values).fetchall()
        except run_folder.UNREADABLE as error:
            raise run_folder.trouble(self.folder, error) from error


def turns_of(folder: Path, database: sqlite3.Connection, trial: str) -> tuple[Turn, ...]:
    """The committed turns of one trial, folded in order.

    Raises:
        StorageError: they are damaged.
    """
    row = database.execute("SELECT start FROM trials WHERE id = ?", (trial,)).fetchone()
    return _turns(folder, database, trial, row[0] if row else None)


def spent(database: sqlite3.Connection, prices: Mapping[str, Price | None]) -> Spent:
    """See `StoredRun.spent`."""
    total = Spent()
    rows = database.execute(
        "SELECT target, count(*), sum(coalesce(prompt_tokens, reserved_prompt)), "
        "sum(coalesce(completion_tokens, reserved_completion)) FROM calls GROUP BY target ORDER BY target"
    )
    for target, calls, prompt, completion in rows:
        if target not in prices:
            continue
        price = prices[target] or Price(input=0, output=0)
        total += Spent(calls, prompt, completion, price.of(prompt, completion))
    return total


def _turns(folder: Path, database: sqlite3.Connection, trial: str, start: str | None) -> tuple[Turn, ...]:
    try:
        return turn_rows.fold(start, turn_rows.rows_of(database, trial))
    except turn_rows.DamagedError as damage:
        raise damaged(folder, f"trial {trial}", str(damage)) from damage
    except run_folder.UNREADABLE as error:
        raise run_folder.trouble(folder, error) from error


def damaged(folder: Path, where: str, what: str) -> StorageError:
    """What to tell of a run that is not as it was written."""
    return StorageError(
        f"{folder / run_folder.DATABASE}: {where}: {what}; `echosim doctor {folder}` tells more"
    )
