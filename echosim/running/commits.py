"""One thread that writes: what waits becomes one transaction, acknowledged once that is on disc."""

from __future__ import annotations

import queue
import sqlite3
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from echosim.errors import StorageError
from echosim.running import run_folder

Statements = Sequence[tuple[str, Sequence[Sequence[Any]]]]
"""SQL, each with the rows that it is executed for."""


@dataclass(slots=True)
class _Job:
    """Statements that belong together, and who waits for them."""

    statements: Statements
    done: Future[None] = field(default_factory=Future)


class Commits:
    """The one writer of a run's database; after trouble with the disc nothing more is written.

    Args:
        folder: the run folder.
        database: a connection that nobody else writes with.
    """

    def __init__(self, folder: Path, database: sqlite3.Connection) -> None:
        self._folder = folder
        self._database = database
        self._file = run_folder.identity(folder)
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._broken: StorageError | None = None
        self._thread = threading.Thread(target=self._write, name="echosim-store", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Write what waits."""
        if self._thread.is_alive():
            self._jobs.put(None)
            self._thread.join()

    @property
    def is_broken(self) -> bool:
        """True after trouble with the disc."""
        return self._broken is not None

    def submit(self, statements: Statements) -> Future[None]:
        """Done once all of these are on disc, together; fails with StorageError where none is.

        Raises:
            StorageError: nothing can be written any more.
        """
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
            self._settle(jobs)

    def _settle(self, jobs: Sequence[_Job]) -> None:
        error = self._broken or self._write_together(jobs)
        if error is not None and error is not self._broken and len(jobs) > 1:
            # One job holds what cannot be stored (half a character, say); the others are sound.
            for job in jobs:
                self._settle([job])
            return
        for job in jobs:
            if error is None:
                job.done.set_result(None)
            else:
                job.done.set_exception(error)

    def _write_together(self, jobs: Sequence[_Job]) -> Exception | None:
        try:
            self._database.execute("BEGIN IMMEDIATE")
            for job in jobs:
                for statement, rows in job.statements:
                    self._database.executemany(statement, rows)
            self._check_file()
            self._database.execute("COMMIT")
        except Exception as error:
            self._undo()
            if isinstance(error, sqlite3.Error):
                error = run_folder.trouble(self._folder, error)
            if isinstance(error, StorageError):
                self._broken = error
            return error
        return None

    def _check_file(self) -> None:
        """What is written to a file that was removed would be lost without a word."""
        if run_folder.identity(self._folder) != self._file:
            raise StorageError(
                f"{self._folder / run_folder.DATABASE}: was removed or replaced while the run wrote it; "
                "nothing more is stored, and no further call is made"
            )

    def _undo(self) -> None:
        try:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
        except sqlite3.Error:
            pass  # the transaction is gone either way, and the first error is the one to tell
