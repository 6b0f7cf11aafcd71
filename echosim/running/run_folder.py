"""What a run folder is: run.db (SQLite) and study.yaml; how it is told from any other folder."""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path

from echosim.errors import InputError, StorageError

FORMAT = 1
"""Version of the tables; a newer one is refused."""
DATABASE = "run.db"
STUDY = "study.yaml"
LOCK = "run.lock"
_APPLICATION = 0x4543484F
"""Marks a SQLite file as ours ("ECHO")."""

_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE trials (
    id TEXT PRIMARY KEY,
    place INTEGER NOT NULL,       -- order in the plan
    record TEXT NOT NULL,         -- Trial as JSON
    start TEXT,                   -- BeliefState before turn 1
    status TEXT,                  -- NULL until the trial ends
    reason TEXT,
    resumable INTEGER NOT NULL DEFAULT 1,   -- a later run takes it up again
    returned_model TEXT
) WITHOUT ROWID;
CREATE TABLE turns (
    trial TEXT NOT NULL,
    number INTEGER NOT NULL,
    user TEXT NOT NULL,
    act TEXT NOT NULL,
    side INTEGER NOT NULL,
    reply TEXT NOT NULL,
    flags TEXT NOT NULL,          -- JSON list
    reading TEXT NOT NULL,        -- Reading as JSON, defaults left out
    state TEXT NOT NULL,          -- BeliefState after the turn, likewise
    PRIMARY KEY (trial, number)
) WITHOUT ROWID;
CREATE TABLE calls (
    number INTEGER PRIMARY KEY,
    trial TEXT NOT NULL,
    target TEXT NOT NULL,
    turn INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    request TEXT NOT NULL,        -- hash of the messages
    reserved_prompt INTEGER NOT NULL,
    reserved_completion INTEGER NOT NULL,
    outcome TEXT,                 -- NULL: in doubt, the run was cut off while it was under way
    prompt_tokens INTEGER,
    completion_tokens INTEGER,
    estimated INTEGER,
    detail TEXT
);
CREATE TABLE readings (
    trial TEXT NOT NULL,
    number INTEGER NOT NULL,
    reader TEXT NOT NULL,
    reading TEXT NOT NULL,
    PRIMARY KEY (trial, number, reader)
) WITHOUT ROWID;
CREATE TABLE scores (
    trial TEXT NOT NULL,
    metric TEXT NOT NULL,
    reader TEXT NOT NULL,
    value REAL,
    reason TEXT,
    PRIMARY KEY (trial, metric, reader)
) WITHOUT ROWID;
"""


def is_fresh(folder: Path) -> bool:
    """True where a new run may begin: no such folder, or an empty one.

    Raises:
        InputError: it is a file, or a folder that holds something else than a run.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: is a file; a run is a folder, so give another name")
    if (folder / DATABASE).exists() or not folder.exists():
        return not folder.exists()
    others = sorted(entry.name for entry in folder.iterdir() if entry.name != LOCK)
    if others:
        raise InputError(
            f"{folder}: holds {others[0]} but no run ({DATABASE}); give an empty folder, or that of a run"
        )
    return True


def prepare(folder: Path) -> None:
    """Make the folder and an empty database that only their owner can read.

    Raises:
        StorageError: not possible here.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        os.close(os.open(folder / DATABASE, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise trouble(folder, error) from error


def connect(folder: Path) -> sqlite3.Connection:
    """A connection that writes; the tables may not be there yet.

    Raises:
        StorageError: the file cannot be opened or is damaged.
    """
    try:
        database = sqlite3.connect(
            folder / DATABASE, timeout=30, isolation_level=None, check_same_thread=False
        )
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
    except sqlite3.Error as error:
        raise trouble(folder, error) from error
    return database


def connect_to_read(folder: Path) -> sqlite3.Connection:
    """A connection that changes nothing; works beside a writer and in a read-only folder.

    Raises:
        InputError: no such run, or one of a newer version.
        StorageError: the file cannot be read or is damaged.
    """
    if is_fresh(folder):
        raise InputError(f"{folder}: no run there; `echosim run STUDY {folder}` makes one")
    address = (folder / DATABASE).resolve().as_uri()
    # A database in WAL mode wants to make its shared-memory file beside it. Where that is not
    # possible and no writer left anything behind, the file can be taken as it is.
    ahead = folder / (DATABASE + "-wal")
    complete = not ahead.exists() or ahead.stat().st_size == 0
    mode = "immutable=1" if complete and not os.access(folder, os.W_OK) else "mode=ro"
    try:
        database = sqlite3.connect(
            f"{address}?{mode}", uri=True, timeout=30, isolation_level=None, check_same_thread=False
        )
        if not has_tables(database):
            database.close()
            raise InputError(f"{folder}: its run never began; run it again")
        check_format(folder, database)
    except sqlite3.Error as error:
        raise trouble(folder, error) from error
    return database


def has_tables(database: sqlite3.Connection) -> bool:
    """False for the empty database that a run killed at its very start leaves behind."""
    return database.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is not None


def create_tables(database: sqlite3.Connection) -> None:
    """All tables; to be called inside a transaction, so that a run has all of them or none."""
    for statement in _TABLES.split(";"):
        if statement.strip():
            database.execute(statement)
    database.execute(f"PRAGMA application_id={_APPLICATION}")
    database.execute("INSERT INTO meta VALUES ('format', ?)", (str(FORMAT),))


def check_format(folder: Path, database: sqlite3.Connection) -> None:
    """Refuse what is no run, or a run of a newer version.

    Raises:
        InputError: with what it is and what to do.
    """
    if database.execute("PRAGMA application_id").fetchone()[0] != _APPLICATION:
        raise InputError(f"{folder / DATABASE}: is no run of echosim; give another folder")
    found = int(database.execute("SELECT value FROM meta WHERE key='format'").fetchone()[0])
    if found > FORMAT:
        raise InputError(
            f"{folder}: run format {found} is newer than this version knows ({FORMAT}); update echosim"
        )


def trouble(folder: Path, error: BaseException) -> StorageError:
    """What to tell when the disc does not do what it should."""
    try:
        room = f"{shutil.disk_usage(folder).free // 1_000_000} MB free there"
    except OSError:
        room = "the folder cannot be reached"
    words = getattr(error, "strerror", None) or str(error)
    return StorageError(f"{folder}: {words} ({room}); what was stored stays, run again to resume")
