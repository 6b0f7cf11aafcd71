"""Vectors on disk, so that a text is embedded once and scoring a run again costs next to nothing.

One SQLite file in the user's cache folder, shared by all processes. A row holds the bytes of one text's
vectors (reading/encoded.py); texts are kept as hashes alone. A cache may always be lost: a damaged one is
made anew, a row of the wrong length is computed again, and a folder that cannot be written is done without.
"""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

NAME = "vectors-1.sqlite"
"""The number goes up with the table's form; an older file is left to its older program."""
LARGEST = 2 * 1024**3
"""Bytes in use; beyond them the oldest rows go."""
SHARE_DROPPED = 0.02
"""Share of the rows that goes at once, so that making room is rare and short."""
WAIT_SECONDS = 2.0
"""How long another process may hold the file before this call goes without."""
AT_ONCE = 500
"""Keys in one query."""

_SET_UP = (
    "PRAGMA page_size = 16384",  # a row is 5 kB: pages of 4 kB would stay a quarter empty
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "CREATE TABLE IF NOT EXISTS vectors "
    "(id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, vector BLOB NOT NULL)",
)


def text_key(text: str) -> bytes:
    """What a text is known by: 16 bytes, always the same."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


class VectorCache:
    """Vectors of one encoder on one kind of machine.

    Args:
        folder: where the file lies; made if missing.
        space: all that the bits of a vector depend on but the text.
        size: bytes of a row.
        largest: bytes that may be in use.
    """

    def __init__(self, folder: Path, space: str, size: int, largest: int = LARGEST) -> None:
        self._path = folder / NAME
        self._space = hashlib.blake2b(space.encode(), digest_size=16).digest()
        self._size = size
        self._largest = largest
        self._lock = threading.Lock()
        self._database: sqlite3.Connection | None = None

    def get(self, texts: Sequence[bytes]) -> dict[bytes, bytes]:
        """The rows that are there, by text key."""
        by_key = {self._key(text): text for text in texts}
        keys = list(by_key)

        def look(database: sqlite3.Connection) -> list[tuple[bytes, bytes]]:
            rows: list[tuple[bytes, bytes]] = []
            for start in range(0, len(keys), AT_ONCE):
                some = keys[start : start + AT_ONCE]
                marks = ",".join("?" * len(some))
                rows += database.execute(
                    f"SELECT key, vector FROM vectors WHERE key IN ({marks})",  # noqa: S608
                    some,
                )
            return rows

        return {
            by_key[key]: row
            for key, row in self._tried(look) or ()
            if isinstance(row, bytes) and len(row) == self._size
        }

    def put(self, rows: Mapping[bytes, bytes]) -> None:
        """Keep these rows, by text key."""
        kept = [(self._key(text), row) for text, row in rows.items()]

        def keep(database: sqlite3.Connection) -> None:
            database.execute("BEGIN IMMEDIATE")
            try:
                database.executemany("INSERT OR REPLACE INTO vectors (key, vector) VALUES (?, ?)", kept)
                _make_room(database, self._largest)
                database.execute("COMMIT")
            except BaseException:
                if database.in_transaction:
                    database.execute("ROLLBACK")
                raise

        self._tried(keep)

    def close(self) -> None:
        """Let go of the file; the next call opens it again."""
        with self._lock:
            self._drop()

    def _key(self, text: bytes) -> bytes:
        return hashlib.blake2b(text, key=self._space, digest_size=16).digest()

    def _tried(self, work: Callable[[sqlite3.Connection], T]) -> T | None:
        """What `work` gives, or None where the file cannot be used; a damaged file is made anew, once."""
        with self._lock:
            for damaged_before in (False, True):
                try:
                    if self._database is None:
                        self._database = _opened(self._path)
                    return work(self._database)
                except sqlite3.OperationalError:
                    return None  # held by another process, disc full, read-only: go without this time
                except sqlite3.DatabaseError:
                    self._drop()
                    if damaged_before or not _removed(self._path):
                        return None
                except OSError:
                    return None
        return None

    def _drop(self) -> None:
        if self._database is not None:
            with contextlib.suppress(sqlite3.Error):
                self._database.close()
            self._database = None


def _opened(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Calls come from whichever thread embeds; the lock lets in one at a time.
    database = sqlite3.connect(path, timeout=WAIT_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        for statement in _SET_UP:
            database.execute(statement)
    except BaseException:
        database.close()
        raise
    return database


def _removed(path: Path) -> bool:
    try:
        for ending in ("", "-wal", "-shm"):
            path.with_name(path.name + ending).unlink(missing_ok=True)
    except OSError:
        return False
    return True


def _make_room(database: sqlite3.Connection, largest: int) -> None:
    """Drop the oldest rows until the pages in use fit."""

    def number(pragma: str) -> int:
        return int(database.execute(f"PRAGMA {pragma}").fetchone()[0])

    while (number("page_count") - number("freelist_count")) * number("page_size") > largest:
        oldest, newest = database.execute("SELECT min(id), max(id) FROM vectors").fetchone()
        if oldest is None:
            return
        dropped = max(1, int(SHARE_DROPPED * (newest - oldest + 1)))
        database.execute("DELETE FROM vectors WHERE id < ?", (oldest + dropped,))
