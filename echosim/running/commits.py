"""One thread that writes: what waits becomes one transaction, acknowledged once that is on disc."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from echosim.errors import StorageError
from echosim.running import run_folder

Statement = tuple[str, Sequence[Sequence[Any]]]
"""SQL with the rows that it is executed for."""
Statements = Sequence[Statement] | Callable[[], Iterable[Statement]]
"""What belongs together, or what makes it: that is called in the writing thread, perhaps twice."""


@dataclass(frozen=True, slots=True)
class _Job:
    """Statements that belong together, and who waits for them: a coroutine, a thread or nobody."""

    statements: Statements
    done: asyncio.Future[None] | Future[None] | None = None


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

    def submit(self, statements: Statements) -> None:
        """Write these, together or none, before anything that is given later; nobody waits for it.

        Raises:
            StorageError: nothing can be written any more.
        """
        self._put(_Job(statements))

    async def commit(self, statements: Statements) -> None:
        """The same; returns when they are on disc. Cancelling does not take back what is being written.

        Raises:
            StorageError: they are not.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._put(_Job(statements, done))
        await done

    def commit_now(self, statements: Statements) -> None:
        """The same for a caller without an event loop."""
        done: Future[None] = Future()
        self._put(_Job(statements, done))
        done.result()

    def _put(self, job: _Job) -> None:
        if self._broken is not None:
            raise self._broken
        self._jobs.put(job)

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
        waiting: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}
        for job in jobs:
            if isinstance(job.done, asyncio.Future):
                waiting.setdefault(job.done.get_loop(), []).append(job.done)
            elif job.done is not None:
                _tell([job.done], error)
        for loop, those in waiting.items():  # woken once for all
            with contextlib.suppress(RuntimeError):  # closed: nobody waits any more
                loop.call_soon_threadsafe(_tell, those, error)

    def _write_together(self, jobs: Sequence[_Job]) -> Exception | None:
        try:
            self._database.execute("BEGIN IMMEDIATE")
            for job in jobs:
                statements = job.statements() if callable(job.statements) else job.statements
                for statement, rows in statements:
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


def _tell(waiting: Sequence[asyncio.Future[None] | Future[None]], error: Exception | None) -> None:
    for done in waiting:
        if done.done():  # cancelled meanwhile
            continue
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)
