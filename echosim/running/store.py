"""Writing a run folder: one thread, one transaction for all that waits, acknowledged after the commit.

What `append` has acknowledged survives a kill and a power cut; a trial resumes by folding its rows.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import filelock

from echosim.errors import InputError, StorageError
from echosim.records import Reading, Record, Score, Status, Trial, Turn
from echosim.running import generations, kept_replies, run_folder, run_lock, stored_run, turn_rows
from echosim.running.budget import Call, Spent
from echosim.running.commits import Commits, Statement
from echosim.running.kept_replies import Kept, KeptReplies
from echosim.running.outcomes import Attempt
from echosim.study_records import Price

_RETURNED = (
    "UPDATE trials SET returned_model = ?1 WHERE id = (SELECT trial FROM calls WHERE number = ?2) AND "
    "json_extract(record, '$.target') = (SELECT target FROM calls WHERE number = ?2) AND "
    "returned_model IS NOT ?1"
)
"""What the target, and not a model behind the user, called itself."""


class RunStore:
    """The one writer of a run folder. Open it with `open_run` or `reopen`."""

    def __init__(self, folder: Path, lock: filelock.BaseFileLock, database: sqlite3.Connection) -> None:
        self.folder = folder
        self._lock = lock
        self._database = database
        self._commits = Commits(folder, database)
        self.kept = KeptReplies(database.execute(kept_replies.OF_ALL))
        self._begun = {row[0] for row in database.execute("SELECT id FROM trials WHERE start IS NOT NULL")}
        self._last_call = int(database.execute("SELECT coalesce(max(number), 0) FROM calls").fetchone()[0])
        self._today = ""

    def __enter__(self) -> RunStore:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        # Where something has gone wrong already, that is what is told.
        with contextlib.suppress(*() if kind is None else (StorageError,)):
            self.close()

    def close(self) -> None:
        """Write what waits, fold the write-ahead file in, give the lock back.

        Raises:
            StorageError: the disc takes nothing more; what was acknowledged is stored all the same.
        """
        self._commits.close()
        try:
            if not self._commits.is_broken:
                self._database.execute("DELETE FROM meta WHERE key = 'writer'")
                self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except run_folder.UNREADABLE as error:
            raise run_folder.trouble(self.folder, error) from error
        finally:
            self._database.close()
            self._lock.release()

    # --- conversations --------------------------------------------------------------------------

    async def append(self, trial: str, turn: Turn) -> None:
        """Store one finished turn; returns when it is on disc.

        Raises:
            StorageError: it is not.
        """
        had_replies = self.kept.forget(trial)
        today = datetime.now(UTC).date().isoformat()
        is_new_day, self._today = today != self._today, today

        def statements() -> Iterator[Statement]:
            yield turn_rows.INSERT, [turn_rows.row_of(trial, turn)]
            if turn.index == 1:
                yield "UPDATE trials SET start = ? WHERE id = ?", [(turn_rows.start_of(turn), trial)]
            if is_new_day:
                yield "INSERT OR REPLACE INTO meta VALUES ('date', ?)", [(today,)]
            if had_replies:
                yield kept_replies.DELETE, [(trial,)]

        await self._commits.commit(statements)

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
        statements: list[Statement] = [
            (
                "UPDATE trials SET status = ?, reason = ?, resumable = ?, "
                "returned_model = coalesce(?, returned_model) WHERE id = ?",
                [(status, reason, int(resumable), returned_model, trial)],
            )
        ]
        if not resumable and self.kept.forget(trial):
            statements.append((kept_replies.DELETE, [(trial,)]))
        await self._commits.commit(statements)

    def turns_of(self, trial: str) -> tuple[Turn, ...]:
        """Turns that earlier sessions committed; the state to go on from.

        Raises:
            StorageError: they are damaged.
        """
        return stored_run.turns_of(self.folder, self._database, trial) if trial in self._begun else ()

    def finished(self) -> set[str]:
        """Trials of the plan that are not to be taken up again."""
        query = f"SELECT id FROM trials WHERE NOT resumable AND generation = {run_folder.CURRENT}"  # noqa: S608
        return {row[0] for row in self._database.execute(query)}

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
        await self._commits.commit(
            [
                (
                    "INSERT INTO calls (number, trial, target, turn, attempt, request, "
                    "reserved_prompt, reserved_completion) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    [row],
                )
            ]
        )
        return number

    async def settle(
        self, number: int, attempt: Attempt, used: Spent, estimated: bool, kept: Kept | None = None
    ) -> None:
        """Note what became of it, and keep the reply until its turn is stored.

        Nobody waits here. The call that takes this one's place at its server is sent when it is noted, which
        comes after this or with it: so a kill leaves no more calls in doubt, and none else to be paid for
        twice, than may be in flight.
        """
        row = (
            attempt.outcome,
            used.prompt_tokens,
            used.completion_tokens,
            int(estimated),
            attempt.detail or None,
            number,
        )
        statements: list[Statement] = [
            (
                "UPDATE calls SET outcome = ?, prompt_tokens = ?, completion_tokens = ?, "
                "estimated = ?, detail = ? WHERE number = ?",
                [row],
            )
        ]
        if attempt.returned_model is not None:
            # With the call and not with the ending: a trial that is cut off in between asks nobody again.
            statements.append((_RETURNED, [(attempt.returned_model, number)]))
        if kept is not None:
            statements.append((kept_replies.INSERT, [kept.row]))
        self._commits.submit(statements)

    def spent(self, prices: Mapping[str, Price | None]) -> Spent:
        """What earlier sessions used; see `StoredRun.spent`."""
        return stored_run.spent(self._database, prices)

    # --- what is made from transcripts ----------------------------------------------------------

    def put_scores(self, reader: str, scores: Iterable[Score]) -> None:
        """Replace the scores made from one reader's readings."""
        rows = [(score.trial, score.metric, reader, score.value, score.reason) for score in scores]
        self._commits.commit_now(
            [
                ("DELETE FROM scores WHERE reader = ?", [(reader,)]),
                ("INSERT INTO scores VALUES (?, ?, ?, ?, ?)", rows),
            ]
        )

    def put_readings(self, reader: str, readings: Mapping[str, Mapping[int, Reading]]) -> None:
        """Keep another reader's readings, by trial and turn; together or none."""
        rows = [
            (trial, number, reader, reading.model_dump_json(exclude_defaults=True))
            for trial, by_turn in readings.items()
            for number, reading in by_turn.items()
        ]
        self._commits.commit_now([("INSERT OR REPLACE INTO readings VALUES (?, ?, ?, ?)", rows)])

    async def append_reading(self, trial: str, number: int, reader: str, reading: Record) -> None:
        """Keep another channel's reading of one reply; returns when it is on disc."""
        row = (trial, number, reader, reading.model_dump_json(exclude_defaults=True))
        await self._commits.commit([("INSERT OR REPLACE INTO readings VALUES (?, ?, ?, ?)", [row])])

    def put_fact(self, key: str, value: str) -> None:
        """Keep or replace one fact about the run as a whole."""
        self._commits.commit_now([("INSERT OR REPLACE INTO meta VALUES (?, ?)", [(key, value)])])


def open_run(
    folder: Path,
    study: str,
    trials: Sequence[Trial],
    facts: Mapping[str, str],
    changed: Callable[[str], Sequence[str]],
    *,
    allow_change: bool = False,
) -> RunStore:
    """Begin a run, or take up the one that is there.

    Args:
        folder: the run folder; made if missing.
        study: the resolved study as YAML text, without key values.
        trials: all planned trials, in order.
        facts: what a board must name: "reader", "encoder", "version".
        changed: given the study text of the run that is there, the fields that differ from this
            study and matter; empty where only limits differ.
        allow_change: go on under a new plan where the study or the reader is another one.

    Raises:
        InputError: no run and not empty, a run of another study or a newer version.
        StorageError: in use, unwritable, full or damaged.
    """
    run_folder.is_fresh(folder)
    run_folder.prepare(folder)
    lock = run_lock.acquire(folder, lambda: _writer(folder))
    try:
        database = run_folder.connect(folder)
        try:
            database.execute("BEGIN IMMEDIATE")
            if run_folder.has_tables(database):
                run_folder.bring_up_to_date(folder, database)
                generations.go_on(folder, database, study, trials, facts, changed, allow_change)
            else:
                run_folder.create_tables(database)
                generations.begin(database, trials, facts)
            database.executemany(
                "INSERT OR REPLACE INTO meta VALUES (?, ?)",
                (("study", study), ("writer", run_lock.this_process())),
            )
            database.execute("COMMIT")
            run_folder.write_study(folder, study)
        except BaseException:
            database.close()
            raise
        return RunStore(folder, lock, database)
    except run_folder.UNREADABLE as error:
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
    lock = run_lock.acquire(folder, lambda: _writer(folder))
    try:
        database = run_folder.connect(folder)
        database.execute("BEGIN IMMEDIATE")
        run_folder.bring_up_to_date(folder, database)
        database.execute("INSERT OR REPLACE INTO meta VALUES ('writer', ?)", (run_lock.this_process(),))
        database.execute("COMMIT")
        return RunStore(folder, lock, database)
    except run_folder.UNREADABLE as error:
        lock.release()
        raise run_folder.trouble(folder, error) from error
    except BaseException:
        lock.release()
        raise


def _writer(folder: Path) -> str:
    try:
        with stored_run.StoredRun(folder) as run:
            return run.facts()["writer"]
    except (InputError, StorageError, KeyError):
        return "another process"
