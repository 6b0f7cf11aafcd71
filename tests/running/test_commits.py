"""The writing thread: what it is given is written in order, once, and those who wait are told."""

import asyncio
import threading

import pytest

from echosim.running import run_folder
from echosim.running.commits import Commits

INSERT = "INSERT INTO notes VALUES (?)"


@pytest.fixture
def database(tmp_path):
    run_folder.prepare(tmp_path)
    with run_folder.connect(tmp_path) as database:
        database.execute("CREATE TABLE notes (word TEXT UNIQUE)")
        yield database
    database.close()


@pytest.fixture
def commits(tmp_path, database):
    commits = Commits(tmp_path, database)
    yield commits
    commits.close()


def words(database):
    return [row[0] for row in database.execute("SELECT word FROM notes ORDER BY rowid")]


def note(*words):
    return [(INSERT, [(word,) for word in words])]


def test_what_cannot_be_made_or_stored_takes_nothing_else_with_it(commits, database):
    def broken():
        yield from note("half")
        raise RuntimeError("no row")

    async def scene():
        given = [note("a"), broken, lambda: iter(note("b", "c")), note("\ud800"), note("d")]
        return await asyncio.gather(*map(commits.commit, given), return_exceptions=True)

    ends = asyncio.run(scene())
    assert [type(end) for end in ends] == [
        type(None),
        RuntimeError,
        type(None),
        UnicodeEncodeError,
        type(None),
    ]
    assert words(database) == ["a", "b", "c", "d"]


def test_who_is_cancelled_takes_nothing_back(commits, database):
    async def scene():
        waiting = asyncio.create_task(commits.commit(note("a")))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await commits.commit(note("b"))

    asyncio.run(scene())
    assert words(database) == ["a", "b"]


def test_an_event_loop_that_is_gone_stops_nobody(commits, database):
    async def scene():
        return commits.commit(note("a")).send(None)

    loop = asyncio.new_event_loop()
    loop.run_until_complete(scene())
    loop.close()
    commits.commit_now(note("b"))
    commits.submit(note("c"))
    commits.close()
    assert words(database) == ["a", "b", "c"]


def test_a_thread_is_told_what_went_wrong(commits):
    commits.commit_now(note("a"))
    with pytest.raises(Exception, match="UNIQUE"):
        commits.commit_now(note("a"))
    assert commits.is_broken
    with pytest.raises(Exception, match="UNIQUE"):
        commits.submit(note("b"))


def test_statements_are_made_in_the_writing_thread(commits):
    made = []

    def statements():
        made.append(threading.current_thread().name)
        return note("a")

    commits.commit_now(statements)
    assert made == ["echosim-store"]
