"""What a run folder is: run.db (SQLite) and study.yaml; how it is told from any other folder."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import sqlite3
from pathlib import Path

from echosim.errors import InputError, StorageError

FORMAT = 5
"""Version of the tables; an older one is brought up to it, a newer one is refused."""
DATABASE = "run.db"
STUDY = "study.yaml"
LOCK = "run.lock"
_APPLICATION = 0x4543484F
"""Marks a SQLite file as ours ("ECHO")."""

_PAGE = 16_384
"""Bytes: several turns lie on one page, so that little of it stays empty."""
_ADDED = {
    "turns": {
        "user_flags": "'[]'",
        "report": "NULL",
        "before": "NULL",
        "memory": "NULL",
        "digest": "NULL",
    },
    "trials": {"generation": "1"},
}
"""Columns that formats 1 and 2 lack, and what stands for them there."""
_SINCE = {"past": 3, "replies": 5}
"""Tables that older formats lack, with the first that has them."""
CURRENT = "coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'generation'), 1)"
"""The generation whose trials stand on boards; what earlier plans held stays and is seen by nobody."""

_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE trials (
    id TEXT PRIMARY KEY,
    place INTEGER NOT NULL,       -- order in the plan
    record TEXT NOT NULL,         -- Trial as JSON
    start TEXT,                   -- BeliefState before turn 1, as turn_rows has it
    status TEXT,                  -- NULL until the trial ends
    reason TEXT,
    resumable INTEGER NOT NULL DEFAULT 1,   -- a later run takes it up again
    returned_model TEXT,
    generation INTEGER NOT NULL DEFAULT 1   -- the last one that planned it
) WITHOUT ROWID;
CREATE TABLE turns (
    trial TEXT NOT NULL,
    number INTEGER NOT NULL,
    user TEXT NOT NULL,
    act TEXT NOT NULL,
    side INTEGER NOT NULL,
    reply TEXT NOT NULL,
    flags TEXT NOT NULL,          -- JSON list
    reading TEXT NOT NULL,        -- Reading: a JSON list of its values, as turn_rows has it
    state TEXT NOT NULL,          -- BeliefState after the turn, likewise, null where unchanged
    user_flags TEXT NOT NULL DEFAULT '[]',  -- JSON list
    report TEXT,                  -- Report likewise, NULL where the user was not asked
    before TEXT,                  -- BeliefState before the turn where it is not that after the last one
    memory TEXT,                  -- what the target was told of earlier sessions
    digest TEXT,                  -- of all of this, NULL in rows that format 2 wrote
    UNIQUE (trial, number)        -- rows in the order in which they came fill their pages
);
CREATE TABLE calls (
    number INTEGER PRIMARY KEY,
    trial TEXT NOT NULL,
    target TEXT NOT NULL,
    turn INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    request TEXT NOT NULL,        -- hash of what is asked, see asking.Prompt
    reserved_prompt INTEGER NOT NULL,
    reserved_completion INTEGER NOT NULL,
    outcome TEXT,                 -- NULL: in doubt, the run was cut off while it was under way
    prompt_tokens INTEGER,
    completion_tokens INTEGER,
    estimated INTEGER,
    detail TEXT
);
CREATE TABLE replies (            -- paid for, of turns that are not stored yet
    trial TEXT NOT NULL,
    place INTEGER NOT NULL,       -- of the question among those of the turn
    request TEXT NOT NULL,        -- as in calls
    reply TEXT NOT NULL,          -- JSON, see kept_replies
    digest TEXT NOT NULL,         -- of all of this
    PRIMARY KEY (trial, place)
) WITHOUT ROWID;
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
CREATE TABLE past (
    generation INTEGER PRIMARY KEY,
    facts TEXT NOT NULL           -- JSON: what `meta` said of it
);
"""
UNREADABLE = (sqlite3.Error, UnicodeDecodeError)
"""What reading a damaged file raises: even SQLite's own message may hold what is no text any more."""
_DAMAGED = ("malformed", "not a database", "decode", "no such table", "no such column")
"""Words by which SQLite tells that a file is not as it was written."""


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
        database.execute(f"PRAGMA page_size={_PAGE}")
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
    except sqlite3.Error as error:
        raise trouble(folder, error) from error
    return database


def connect_to_read(folder: Path) -> sqlite3.Connection:
    """A connection that changes nothing; works beside a writer and in a read-only folder.

    Of the trials it sees those of the current plan.

    Raises:
        InputError: no such run, or one of a newer version.
        StorageError: the file cannot be read or is damaged.
    """
    database = connect_as_it_is(folder)
    try:
        if never_began(folder, database):
            raise InputError(f"{folder}: its run never began; run it again")
        check_format(folder, database)
        see_the_current(database)
    except UNREADABLE as error:
        database.close()
        raise trouble(folder, error) from error
    except BaseException:
        database.close()
        raise
    return database


def connect_as_it_is(folder: Path) -> sqlite3.Connection:
    """The same without a look at what is in it.

    Raises:
        InputError: no such run.
        StorageError: the file cannot be opened.
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
        return sqlite3.connect(
            f"{address}?{mode}", uri=True, timeout=30, isolation_level=None, check_same_thread=False
        )
    except UNREADABLE as error:
        raise trouble(folder, error) from error


def identity(folder: Path) -> tuple[int, int] | None:
    """Device and number of the database file, which tell it from another in its place; None without one."""
    try:
        found = (folder / DATABASE).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def never_began(folder: Path, database: sqlite3.Connection) -> bool:
    """True for what a run killed at its very start leaves: no table, or a journal of making the file."""
    return (folder / (DATABASE + "-journal")).exists() or not has_tables(database)


def has_tables(database: sqlite3.Connection) -> bool:
    """False for the empty database that a run killed at its very start leaves behind."""
    return database.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is not None


def create_tables(database: sqlite3.Connection) -> None:
    """All tables; to be called inside a transaction, so that a run has all of them or none."""
    for statement in _statements().values():
        database.execute(statement)
    database.execute(f"PRAGMA application_id={_APPLICATION}")
    database.execute("INSERT INTO meta VALUES ('format', ?)", (str(FORMAT),))


def _statements() -> dict[str, str]:
    """What makes each table."""
    return {text.split()[2]: text for text in _TABLES.split(";") if text.strip()}


def missing_parts(database: sqlite3.Connection, format_: int) -> list[str]:
    """Tables and columns that a run of this format has and this database has not."""
    with contextlib.closing(sqlite3.connect(":memory:")) as whole:
        create_tables(whole)
        meant = {name: _columns(whole, name) for name in _tables(whole)}
    meant = {name: columns for name, columns in meant.items() if format_ >= _SINCE.get(name, 1)}
    if format_ < _SINCE["past"]:
        meant = {name: columns - _ADDED.get(name, {}).keys() for name, columns in meant.items()}
    there = _tables(database)
    missing = [f"table {name}" for name in meant if name not in there]
    for name in meant.keys() & there:
        missing += [f"column {column} of {name}" for column in sorted(meant[name] - _columns(database, name))]
    return missing


def _tables(database: sqlite3.Connection) -> list[str]:
    query = "SELECT name FROM main.sqlite_master WHERE type = 'table' ORDER BY name"
    return [row[0] for row in database.execute(query)]


def _columns(database: sqlite3.Connection, table: str) -> set[str]:
    return {row[1] for row in database.execute(f"PRAGMA main.table_info({table})")}


def check_format(folder: Path, database: sqlite3.Connection) -> int:
    """The format of a run; refuses what is no run, or a run of a newer version.

    Raises:
        InputError: with what it is and what to do.
        StorageError: its format is not to be told.
    """
    if database.execute("PRAGMA application_id").fetchone()[0] != _APPLICATION:
        raise InputError(f"{folder / DATABASE}: is no run of echosim; give another folder")
    row = database.execute("SELECT value FROM meta WHERE key='format'").fetchone()
    if row is None or not str(row[0]).isdecimal():
        raise StorageError(
            f"{folder / DATABASE}: does not tell its format; `echosim doctor {folder}` tells what is left"
        )
    found = int(row[0])
    if found > FORMAT:
        raise InputError(
            f"{folder}: run format {found} is newer than this version knows ({FORMAT}); update echosim"
        )
    return found


def bring_up_to_date(folder: Path, database: sqlite3.Connection) -> None:
    """Add what an older format lacks; to be called inside a transaction.

    Raises:
        InputError: as `check_format`.
        StorageError: likewise.
    """
    if check_format(folder, database) == FORMAT:
        return
    for table in _ADDED:
        for column, default in lacking(database, table).items():
            kind = "INTEGER" if default.isdigit() else "TEXT"
            known = "" if default == "NULL" else f" NOT NULL DEFAULT {default}"
            database.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}{known}")
    there = _tables(database)
    for table in _SINCE:
        if table not in there:
            database.execute(_statements()[table])
    database.execute("UPDATE meta SET value = ? WHERE key = 'format'", (str(FORMAT),))


def lacking(database: sqlite3.Connection, table: str) -> dict[str, str]:
    """Columns of today that a run of an older format has not, and what stands for them."""
    there = _columns(database, table)
    return {column: default for column, default in _ADDED[table].items() if column not in there}


def see_the_current(database: sqlite3.Connection) -> None:
    """Views that hide the tables: an older run is read as a new one, and of trials the current plan alone."""
    for table, condition in (("turns", "1"), ("trials", f"generation = {CURRENT}")):
        missing = "".join(f", {default} AS {column}" for column, default in lacking(database, table).items())
        rows = f"SELECT *{missing} FROM main.{table}"  # noqa: S608 - constants
        database.execute(f"CREATE TEMP VIEW {table} AS SELECT * FROM ({rows}) WHERE {condition}")  # noqa: S608
    if "replies" not in _tables(database):
        none = "NULL AS trial, 0 AS place, NULL AS request, NULL AS reply, NULL AS digest"
        database.execute(f"CREATE TEMP VIEW replies AS SELECT {none} WHERE 0")


def write_study(folder: Path, study: str) -> None:
    """study.yaml for people; what counts is the copy in the database.

    Raises:
        StorageError: unwritable or full.
    """
    part = folder / (STUDY + ".part")
    try:
        handle = os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(study)
        part.replace(folder / STUDY)
    except OSError as error:
        raise trouble(folder, error) from error


def resume_command(folder: Path) -> str:
    """What to type to go on with a run, wherever the file that it was made from may be."""
    return shlex.join(("echosim", "run", str(folder / STUDY), str(folder)))


def trouble(folder: Path, error: BaseException) -> StorageError:
    """What to tell when the disc does not do what it should, or gives back other bytes than it got."""
    # Without the text that SQLite could not decode: it may be anything.
    words = (getattr(error, "strerror", None) or str(error)).partition(" with text ")[0]
    if any(mark in words for mark in _DAMAGED):
        return StorageError(f"{folder / DATABASE}: {words}; `echosim doctor {folder}` tells what is left")
    try:
        room = f"{shutil.disk_usage(folder).free // 1_000_000} MB free there"
    except OSError:
        room = "the folder cannot be reached"
    return StorageError(f"{folder}: {words} ({room}); what was stored stays, run again to resume")
