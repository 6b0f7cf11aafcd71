"""What a run folder was in earlier versions, and how it is read and written today."""

import asyncio
import sqlite3
from contextlib import closing

import cast
import pytest

from echosim import draws
from echosim.errors import InputError
from echosim.running import run_folder, turn_rows
from echosim.running.store import reopen
from echosim.running.stored_run import StoredRun
from tests.running.test_store import STUDY, fill, turn

OLD_TURNS = """CREATE TABLE turns (trial TEXT NOT NULL, number INTEGER NOT NULL, user TEXT NOT NULL,
    act TEXT NOT NULL, side INTEGER NOT NULL, reply TEXT NOT NULL, flags TEXT NOT NULL, reading TEXT NOT NULL,
    state TEXT NOT NULL{more}, PRIMARY KEY (trial, number)) WITHOUT ROWID"""
IN_FORMAT = {
    1: "",
    2: ", user_flags TEXT NOT NULL DEFAULT '[]', report TEXT, before TEXT, memory TEXT",
}


def named(row, turn, start):
    """A row as format 3 and older had it: each value under its name."""
    row = [*row[:-1]]
    for place, record in ((7, turn.reading), (8, turn.after), (10, turn.report)):
        row[place] = None if record is None else record.model_dump_json(exclude_defaults=True)
    if turn.after_gap:
        row[11] = turn.before.model_dump_json(exclude_defaults=True)
    told = (*row, start if turn.index == 1 else None)
    return (*row, draws.key(*("-" if value is None else f"={value}" for value in told))[:16])


def as_format(number, folder):
    """What an earlier version wrote.

    1 before sessions and user models, 2 before digests and generations, 3 with the names of all values,
    4 before replies were kept.
    """
    with StoredRun(folder) as run:
        held = [one for one in run.transcripts() if one.turns]
    with closing(sqlite3.connect(folder / "run.db")) as database, database:
        database.execute("DROP TABLE replies")
        database.execute("UPDATE meta SET value = ? WHERE key = 'format'", (str(number),))
        if number == 4:
            return
        database.execute("DELETE FROM turns")
        for one in held:
            start = one.turns[0].before.model_dump_json(exclude_defaults=True)
            database.execute("UPDATE trials SET start = ? WHERE id = ?", (start, one.trial.id))
            rows = [named(turn_rows.row_of(one.trial.id, turn), turn, start) for turn in one.turns]
            database.executemany(turn_rows.INSERT, rows)
        if number == 3:
            return
        database.execute("ALTER TABLE turns RENAME TO newer")
        database.execute(OLD_TURNS.format(more=IN_FORMAT[number]))
        names = ", ".join(row[1] for row in database.execute("PRAGMA table_info(turns)"))
        database.execute(f"INSERT INTO turns SELECT {names} FROM newer")
        database.execute("DROP TABLE newer")
        database.execute("ALTER TABLE trials DROP COLUMN generation")
        database.execute("DROP TABLE past")


def columns(folder):
    with closing(sqlite3.connect(folder / "run.db")) as database:
        tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {t: {row[1] for row in database.execute(f"PRAGMA table_info({t})")} for t in tables}


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_an_older_run_is_read_as_it_is_and_brought_up_to_date_by_a_writer(tmp_path, number):
    trial = fill(tmp_path)
    with StoredRun(tmp_path) as run:
        before = list(run.transcripts())
    new = columns(tmp_path)
    as_format(number, tmp_path)
    old = columns(tmp_path)
    assert old != new
    with StoredRun(tmp_path) as run:
        assert list(run.transcripts()) == before
        assert run.counts()["planned"] == 3
        assert run.aside() == 0
    assert columns(tmp_path) == old
    reopen(tmp_path).close()
    assert columns(tmp_path) == new
    as_format(number, tmp_path)
    with cast.opened(tmp_path, STUDY) as store:
        asyncio.run(store.append(trial, turn(3, user_flags=("fallback",))))
    with StoredRun(tmp_path) as run:
        assert run.transcript(trial).turns == (*before_of(before, trial), turn(3, user_flags=("fallback",)))


def before_of(transcripts, trial):
    return next(one.turns for one in transcripts if one.trial.id == trial)


def test_a_newer_run_is_refused(tmp_path):
    fill(tmp_path)
    newer = run_folder.FORMAT + 1
    with closing(sqlite3.connect(tmp_path / "run.db")) as database, database:
        database.execute("UPDATE meta SET value = ? WHERE key = 'format'", (str(newer),))
    for attempt in (
        lambda: cast.opened(tmp_path, STUDY),
        lambda: StoredRun(tmp_path),
        lambda: reopen(tmp_path),
    ):
        said = rf"run format {newer} is newer than this version knows \({run_folder.FORMAT}\)"
        with pytest.raises(InputError, match=said) as caught:
            attempt()
        assert caught.value.exit_code == 2


def test_what_is_missing_is_named(tmp_path):
    fill(tmp_path)
    with closing(sqlite3.connect(tmp_path / "run.db")) as database:
        assert run_folder.missing_parts(database, run_folder.FORMAT) == []
        as_format(1, tmp_path)
        assert run_folder.missing_parts(database, 1) == []
        lacking = run_folder.missing_parts(database, run_folder.FORMAT)
        assert {"table past", "table replies", "column generation of trials", "column digest of turns"} < set(
            lacking
        )
        database.execute("DROP TABLE calls")
        database.execute("ALTER TABLE turns RENAME COLUMN reply TO replz")
        assert run_folder.missing_parts(database, 1) == ["table calls", "column reply of turns"]
