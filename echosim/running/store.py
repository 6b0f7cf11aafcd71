"""Writing a run folder: one thread, one transaction for all that waits, acknowledged after the commit.

What `append` has acknowledged survives a kill and a power cut; a trial resumes by folding its rows.
"""

from __future__ import annotations

import asyncio
import json
import os
import queue
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import filelock

from echosim.errors import InputError, StorageError
from echosim.records import Reading, Record, Score, Status, Trial, Turn
from echosim.running import run_folder, stored_run
from echosim.running.budget import Call, Spent
from echosim.running.outcomes import Attempt
from echosim.study_records import Price


@dataclass(slots=True)
class _Job:
    """Statements that belong together, and who waits for them."""

    statements: Sequence[tuple[str, Sequence[Sequence[Any]]]]
    done: Future[None] = field(default_factory=Future)


class RunStore:
    """The one writer of a run folder. Open it with `open_run` or `reopen`."""

    def __init__(self, folder: Path, lock: filelock.BaseFileLock, database: sqlite3.Connection) -> None:
        self.folder = folder
        self._lock = lock
        self._database = database
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._broken: StorageError | None = None
        self._begun = {row[0] for row in database.execute("SELECT DISTINCT trial FROM turns")}
        self._last_call = int(database.execute("SELECT coalesce(max(number), 0) FROM calls").fetchone()[0])
        self._today = ""
        self._thread = threading.Thread(target=self._write, name="echosim-store", daemon=True)
        self._thread.start()

    def __enter__(self) -> RunStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Write what waits, fold the write-ahead file in, give the lock back."""
        if self._thread.is_alive():
            self._jobs.put(None)
            self._thread.join()
        self._database.close()
        self._lock.release()

    # --- conversations --------------------------------------------------------------------------

    async def append(self, trial: str, turn: Turn) -> None:
        """Store one finished turn; returns when it is on disc.

        Raises:
            StorageError: it is not.
        """
        row = (
            trial,
            turn.index,
            turn.user,
            turn.act,
            turn.side,
            turn.reply,
            json.dumps(turn.flags),
            turn.reading.model_dump_json(exclude_defaults=True),
            turn.after.model_dump_json(exclude_defaults=True),
        )
        statements: list[tuple[str, Sequence[Sequence[Any]]]] = [
            ("INSERT INTO turns VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", [row])
        ]
        if turn.index == 1:
            start = turn.before.model_dump_json(exclude_defaults=True)
            statements.append(("UPDATE trials SET start = ? WHERE id = ?", [(start, trial)]))
        today = datetime.now(UTC).date().isoformat()
        if today != self._today:
            self._today = today
            statements.append(("INSERT OR REPLACE INTO meta VALUES ('date', ?)", [(today,)]))
        await self._commit(statements)

    async def finish(
        self,
        trial: str,
        status: Status,
        reason: str | None = None,
        *,
        resumable: bool = False,
        returned_model: str | None = None,
    ) -> None:
        """Note how a trial ended; a resumable one is taken up by the next run."""
        await self._commit(
            [
                (
                    "UPDATE trials SET status = ?, reason = ?, resumable = ?, "
                    "returned_model = coalesce(?, returned_model) WHERE id = ?",
                    [(status, reason, int(resumable), returned_model, trial)],
                )
            ]
        )

    def turns_of(self, trial: str) -> tuple[Turn, ...]:
        """Turns that earlier sessions committed; the state to go on from."""
        return stored_run.turns_of(self._database, trial) if trial in self._begun else ()

    def finished(self) -> set[str]:
        """Trials that are not to be taken up again."""
        return {row[0] for row in self._database.execute("SELECT id FROM trials WHERE NOT resumable")}

    # --- paid calls -----------------------------------------------------------------------------

    async def intend(self, call: Call) -> int:
        """Note a paid call before it is made; returns its number when that is on disc."""
        self._last_call += 1
        number = self._last_call
        row = (
            number,
            call.trial,
            call.target,
            call.turn,
            call.attempt,
            call.request,
            call.worst.prompt_tokens,
            call.worst.completion_tokens,
        )
        await self._commit(
            [
                (
                    "INSERT INTO calls (number, trial, target, turn, attempt, request, "
                    "reserved_prompt, reserved_completion) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    [row],
                )
            ]
        )
        return number

    async def settle(self, number: int, attempt: Attempt, used: Spent, estimated: bool) -> None:
        """Note what became of it."""
        row = (
            attempt.outcome,
            used.prompt_tokens,
            used.completion_tokens,
            int(estimated),
            attempt.detail or None,
            number,
        )
        await self._commit(
            [
                (
                    "UPDATE calls SET outcome = ?, prompt_tokens = ?, completion_tokens = ?, "
                    "estimated = ?, detail = ? WHERE number = ?",
                    [row],
                )
            ]
        )

    def spent(self, prices: Mapping[str, Price | None]) -> Spent:
        """What earlier sessions used; see `StoredRun.spent`."""
        return stored_run.spent(self._database, prices)

    # --- what is made from transcripts ----------------------------------------------------------

    def put_scores(self, reader: str, scores: Iterable[Score]) -> None:
        """Replace the scores made from one reader's readings."""
        rows = [(score.trial, score.metric, reader, score.value, score.reason) for score in scores]
        self._submit(
            [
                ("DELETE FROM scores WHERE reader = ?", [(reader,)]),
                ("INSERT INTO scores VALUES (?, ?, ?, ?, ?)", rows),
            ]
        ).result()

    def put_readings(self, trial: str, reader: str, readings: Mapping[int, Reading]) -> None:
        """Keep another reader's readings of one trial."""
        rows = [
            (trial, number, reader, reading.model_dump_json(exclude_defaults=True))
            for number, reading in readings.items()
        ]
        self._submit([("INSERT OR REPLACE INTO readings VALUES (?, ?, ?, ?)", rows)]).result()

    async def append_reading(self, trial: str, number: int, reader: str, reading: Record) -> None:
        """Keep another channel's reading of one reply; returns when it is on disc."""
        row = (trial, number, reader, reading.model_dump_json(exclude_defaults=True))
        await self._commit([("INSERT OR REPLACE INTO readings VALUES (?, ?, ?, ?)", [row])])

    def put_fact(self, key: str, value: str) -> None:
        """Keep or replace one fact about the run as a whole."""
        self._submit([("INSERT OR REPLACE INTO meta VALUES (?, ?)", [(key, value)])]).result()

    # --- the writer thread ----------------------------------------------------------------------

    async def _commit(self, statements: Sequence[tuple[str, Sequence[Sequence[Any]]]]) -> None:
        await asyncio.wrap_future(self._submit(statements))

    def _submit(self, statements: Sequence[tuple[str, Sequence[Sequence[Any]]]]) -> Future[None]:
        if self._broken is not None:
            raise self._broken
        job = _Job(statements)
        # A caller that is cancelled must not take back what is being written.
        job.done.set_running_or_notify_cancel()
        self._jobs.put(job)
        return job.done

    def _write(self) -> None:
        open_for_more = True
        while open_for_more:
            waiting = [self._jobs.get()]
            while not self._jobs.empty():
                waiting.append(self._jobs.get())
            jobs = [job for job in waiting if job is not None]
            open_for_more = len(jobs) == len(waiting)
            self._settle_jobs(jobs)

    def _settle_jobs(self, jobs: Sequence[_Job]) -> None:
        error = self._broken or self._write_together(jobs)
        if error is not None and error is not self._broken and len(jobs) > 1:
            # One job holds what cannot be stored (half a character, say); the others are sound.
            for job in jobs:
                self._settle_jobs([job])
            return
        for job in jobs:
            if error is None:
                job.done.set_result(None)
            else:
                job.done.set_exception(error)

    def _write_together(self, jobs: Sequence[_Job]) -> Exception | None:
        """One transaction; after trouble with the disc nothing more is written."""
        try:
            self._database.execute("BEGIN IMMEDIATE")
            for job in jobs:
                for statement, rows in job.statements:
                    self._database.executemany(statement, rows)
            self._database.execute("COMMIT")
        except Exception as error:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            if not isinstance(error, sqlite3.Error):
                return error
            self._broken = run_folder.trouble(self.folder, error)
            return self._broken
        return None


def open_run(
    folder: Path,
    study: str,
    trials: Sequence[Trial],
    facts: Mapping[str, str],
    changed: Callable[[str], Sequence[str]],
) -> RunStore:
    """Begin a run, or take up the one that is there.

    Args:
        folder: the run folder; made if missing.
        study: the resolved study as YAML text, without key values.
        trials: all planned trials, in order.
        facts: what a board must name: "reader", "encoder", "version".
        changed: given the study text of the run that is there, the fields that differ from this
            study and matter; empty where only limits differ.

    Raises:
        InputError: no run and not empty, a run of another study or a newer version.
        StorageError: in use, unwritable, full or damaged.
    """
    run_folder.is_fresh(folder)
    run_folder.prepare(folder)
    lock = _lock(folder)
    try:
        database = run_folder.connect(folder)
        try:
            database.execute("BEGIN IMMEDIATE")
            if run_folder.has_tables(database):
                run_folder.check_format(folder, database)
                _check_same(folder, database, study, trials, facts, changed)
            else:
                run_folder.create_tables(database)
                database.executemany(
                    "INSERT INTO trials (id, place, record) VALUES (?, ?, ?)",
                    ((trial.id, place, trial.model_dump_json()) for place, trial in enumerate(trials)),
                )
                database.executemany("INSERT INTO meta VALUES (?, ?)", facts.items())
            database.executemany(
                "INSERT OR REPLACE INTO meta VALUES (?, ?)",
                (("study", study), ("writer", f"pid {os.getpid()} on host {socket.gethostname()}")),
            )
            database.execute("COMMIT")
            _write_study(folder, study)
        except BaseException:
            database.close()
            raise
        return RunStore(folder, lock, database)
    except sqlite3.Error as error:
        lock.release()
        raise run_folder.trouble(folder, error) from error
    except BaseException:
        lock.release()
        raise


def reopen(folder: Path) -> RunStore:
    """Open a run that is there, to write scores or readings.

    Raises:
        InputError: no run there, or one of a newer version.
        StorageError: in use or unwritable.
    """
    run_folder.connect_to_read(folder).close()
    lock = _lock(folder)
    try:
        return RunStore(folder, lock, run_folder.connect(folder))
    except BaseException:
        lock.release()
        raise


def _lock(folder: Path) -> filelock.BaseFileLock:
    """The folder's lock; the kernel frees it when its holder dies, however it dies."""
    lock = filelock.FileLock(folder / run_folder.LOCK, timeout=0, mode=0o600, thread_local=False)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise StorageError(f"{folder}: run is in use by {_writer(folder)}; wait for it or stop it") from None
    except OSError as error:
        raise run_folder.trouble(folder, error) from error
    return lock


def _writer(folder: Path) -> str:
    try:
        with stored_run.StoredRun(folder) as run:
            return run.facts()["writer"]
    except (InputError, StorageError, KeyError):
        return "another process"


def _check_same(
    folder: Path,
    database: sqlite3.Connection,
    study: str,
    trials: Sequence[Trial],
    facts: Mapping[str, str],
    changed: Callable[[str], Sequence[str]],
) -> None:
    before = dict(database.execute("SELECT key, value FROM meta"))
    if before["study"] != study and (fields := changed(before["study"])):
        raise InputError(
            f"{folder}: the study has changed since this run began ({', '.join(fields)}); "
            "undo that to resume, or give another folder"
        )
    planned = {row[0] for row in database.execute("SELECT id FROM trials")}
    if planned != {trial.id for trial in trials}:
        then = {key: before.get(key, "none") for key in facts}
        differ = [f"{key} {then[key]} then, {now} now" for key, now in facts.items() if then[key] != now]
        raise InputError(
            f"{folder}: this run was begun otherwise ({'; '.join(differ) or 'plan differs'}), and a run is "
            "never mixed; give another folder (show, score, leaderboard and report still work on this one)"
        )


def _write_study(folder: Path, study: str) -> None:
    """study.yaml for people; what counts is the copy in the database."""
    part = folder / (run_folder.STUDY + ".part")
    try:
        handle = os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(study)
        part.replace(folder / run_folder.STUDY)
    except OSError as error:
        raise run_folder.trouble(folder, error) from error
