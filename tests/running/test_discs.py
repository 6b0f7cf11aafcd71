"""Discs that are full, read-only or gone: exit 4, the path, and nothing lost that was acknowledged."""

import asyncio
import shutil
import sqlite3

import cast
import pytest

from echosim.errors import InputError, StorageError
from echosim.running import run_folder
from echosim.running.stored_run import StoredRun
from tests.running.test_store import STUDY, fill, turn


def test_an_unwritable_place_is_storage_trouble(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match=r"file/run: .*directory") as caught:
        cast.opened(tmp_path / "file" / "run", STUDY)
    assert caught.value.exit_code == 4


def test_a_full_disc_stops_everything_and_keeps_what_was_stored(tmp_path):
    trial = fill(tmp_path, turns=2)
    with cast.opened(tmp_path, STUDY) as store:
        pages = store._database.execute("PRAGMA page_count").fetchone()[0]
        store._database.execute(f"PRAGMA max_page_count={pages}")
        with pytest.raises(StorageError, match=r"full .*MB free"):
            asyncio.run(store.append(trial, turn(3, reply="x" * 100_000)))
        with pytest.raises(StorageError, match="full"):
            asyncio.run(store.append(trial, turn(3)))
    with cast.opened(tmp_path, STUDY) as store:
        assert store.turns_of(trial) == (turn(1), turn(2))


def test_a_run_killed_before_its_first_commit_begins_anew(tmp_path):
    run_folder.prepare(tmp_path / "run")
    with pytest.raises(InputError, match="never began"):
        StoredRun(tmp_path / "run")
    fill(tmp_path / "run")
    with StoredRun(tmp_path / "run") as run:
        assert run.counts()["planned"] == 3


def test_a_read_only_run_can_be_read(tmp_path, monkeypatch):
    fill(tmp_path)
    before = sorted(entry.name for entry in tmp_path.iterdir())
    assert before == ["run.db", "run.lock", "study.yaml"]
    # A superuser may write anywhere, so permission bits alone would not test this everywhere.
    monkeypatch.setattr(run_folder.os, "access", lambda *_: False)
    with StoredRun(tmp_path) as run:
        assert run.counts()["planned"] == 3
        assert sorted(entry.name for entry in tmp_path.iterdir()) == before


@pytest.mark.parametrize("replaced", [False, True])
def test_a_folder_that_is_removed_while_it_is_written_stops_everything(tmp_path, replaced):
    """Row 40: SQLite would go on writing to a file that nobody can find any more."""
    folder = tmp_path / "run"
    trial = fill(folder)
    fill(tmp_path / "other")
    store = cast.opened(folder, STUDY)
    shutil.rmtree(folder)
    if replaced:
        (tmp_path / "other").rename(folder)
    with pytest.raises(StorageError, match=r"run/run\.db: was removed or replaced") as caught, store:
        asyncio.run(store.append(trial, turn(3)))
    assert caught.value.exit_code == 4
    with pytest.raises(StorageError, match="was removed or replaced"):
        asyncio.run(store.append(trial, turn(3)))
    if replaced:
        with StoredRun(folder) as run:
            assert len(run.transcript(trial).turns) == 2
    else:
        assert not folder.exists()


def test_a_disc_that_is_full_at_the_very_end_is_told_and_nothing_is_lost(tmp_path, monkeypatch):
    trial = fill(tmp_path)
    store = cast.opened(tmp_path, STUDY)
    asyncio.run(store.append(trial, turn(3)))
    real = store._database

    class Full:
        def execute(self, statement, *values):
            if statement.startswith(("DELETE", "PRAGMA wal_checkpoint")):
                raise sqlite3.OperationalError("database or disk is full")
            return real.execute(statement, *values)

        def close(self):
            real.close()

    store._database = Full()
    with pytest.raises(StorageError, match="disk is full"):
        store.close()
    with StoredRun(tmp_path) as run:
        assert len(run.transcript(trial).turns) == 3
    cast.opened(tmp_path, STUDY).close()
