import asyncio
import json
import os
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import cast
import pytest

from echosim.errors import InputError, StorageError
from echosim.records import BeliefState, Reading, Score, Turn
from echosim.running import run_folder
from echosim.running.budget import Call, Spent
from echosim.running.outcomes import Attempt
from echosim.running.store import open_run, reopen
from echosim.running.stored_run import StoredRun
from echosim.study_records import Price

STUDY = cast.study("echosim/corrector", turns=4, seeds=(1, 2, 3))


def state(n):
    return BeliefState(log_odds=1.0 + n / 3, anchor=1.1, trust=0.5, n_plus=n, heard=("a", "b"))


def turn(n, **fields):
    return Turn.model_validate(
        {
            "index": n,
            "user": f"user {n} \u2028 \u202e é",
            "act": "state",
            "side": 1,
            "reply": f"reply {n} <script> 'x'",
            "flags": ("truncated",) if n == 2 else (),
            "reading": Reading(stance=0.1 + 0.2, evidence=0.3, warmth=0.2, on_topic=1.0, matched=("a",)),
            "before": state(n - 1),
            "after": state(n),
            **fields,
        }
    )


def fill(folder, turns=2):
    with cast.opened(folder, STUDY) as store:
        trial = cast.planned(STUDY)[0].id

        async def scene():
            for n in range(1, turns + 1):
                await store.append(trial, turn(n))

        asyncio.run(scene())
    return trial


def test_what_was_stored_is_read_back_bit_for_bit(tmp_path):
    trial = fill(tmp_path / "run")
    with StoredRun(tmp_path / "run") as run:
        found = run.transcript(trial)
        assert found.turns == (turn(1), turn(2))
        assert found.trial == cast.planned(STUDY)[0]
        assert (found.status, found.reason) == ("limited", "not finished; run again to resume")
        assert run.transcript(trial[:9]) == found
        assert [t.trial.id for t in run.transcripts()] == sorted(t.id for t in cast.planned(STUDY))
        assert run.counts() == {
            "planned": 3,
            "complete": 0,
            "limited": 0,
            "refused": 0,
            "failed": 0,
            "unfinished": 3,
        }
        assert run.study == STUDY.model_dump_json()
        assert run.facts()["reader"] == "hash-reader"
        assert run.facts()["date"][:2] == "20"
    with cast.opened(tmp_path / "run", STUDY) as store:
        assert store.turns_of(trial) == (turn(1), turn(2))
        assert store.turns_of(cast.planned(STUDY)[1].id) == ()


def test_an_ending_is_kept_and_says_whether_to_go_on(tmp_path):
    one, two, three = (trial.id for trial in cast.planned(STUDY))
    with cast.opened(tmp_path, STUDY) as store:

        async def scene():
            await store.finish(one, "complete", returned_model="served-name")
            await store.finish(two, "failed", "transient: 500: boom", resumable=True)

        asyncio.run(scene())
        assert store.finished() == {one}
        asyncio.run(store.finish(two, "refused", "filtered"))
        assert store.finished() == {one, two}
    with StoredRun(tmp_path) as run:
        assert run.transcript(one).returned_model == "served-name"
        assert run.counts()["unfinished"] == 1
        assert run.reasons() == [("refused", "filtered", 1)]
        assert run.transcript(three).turns == ()


def test_a_turn_is_stored_once(tmp_path):
    trial = fill(tmp_path)
    with cast.opened(tmp_path, STUDY) as store, pytest.raises(StorageError, match="UNIQUE"):
        asyncio.run(store.append(trial, turn(2)))


def test_append_returns_after_the_commit(tmp_path):
    trial = cast.planned(STUDY)[0].id
    with cast.opened(tmp_path, STUDY) as store:

        async def scene():
            for n in (1, 2, 3):
                await store.append(trial, turn(n))
                other = sqlite3.connect(tmp_path / "run.db")
                assert other.execute("SELECT count(*) FROM turns").fetchone() == (n,)
                other.close()

        asyncio.run(scene())


def test_bytes_per_turn_are_flat(tmp_path):
    study = cast.study("echosim/corrector", turns=50, seeds=(1,))
    asyncio.run(cast.held(tmp_path, study))
    with StoredRun(tmp_path) as run:
        (found,) = run.transcripts()
    sizes = [len(row) for row in _turn_rows(tmp_path)]
    text = [len(t.user) + len(t.reply) for t in found.turns]
    around = [size - length for size, length in zip(sizes, text, strict=True)]
    assert len(around) == 50
    assert max(around[40:]) <= max(around[:5]) + 64


def _turn_rows(folder):
    database = sqlite3.connect(folder / "run.db")
    rows = database.execute("SELECT * FROM turns ORDER BY number").fetchall()
    database.close()
    return ["".join(str(value) for value in row[2:]) for row in rows]


def test_only_the_owner_can_read_it(tmp_path):
    fill(tmp_path / "run")
    assert stat.S_IMODE((tmp_path / "run").stat().st_mode) == 0o700
    for entry in (tmp_path / "run").iterdir():
        assert stat.S_IMODE(entry.stat().st_mode) == 0o600, entry
    assert (tmp_path / "run" / "study.yaml").read_text() == STUDY.model_dump_json()


def test_what_cannot_be_stored_fails_alone(tmp_path):
    one, two, three = (trial.id for trial in cast.planned(STUDY))
    with cast.opened(tmp_path, STUDY) as store:

        async def scene():
            ends = [
                store.append(one, turn(1)),
                store.finish(two, "failed", "\ud800"),
                store.append(three, turn(1)),
            ]
            return await asyncio.gather(*ends, return_exceptions=True)

        first, bad, last = asyncio.run(scene())
        assert isinstance(bad, UnicodeEncodeError)
        assert first is last is None
        asyncio.run(store.append(one, turn(2)))
    with StoredRun(tmp_path) as run:
        assert [len(run.transcript(name).turns) for name in (one, two, three)] == [2, 0, 1]


# --- one writer ---------------------------------------------------------------------------------


def test_a_second_writer_is_refused_and_a_reader_is_not(tmp_path):
    with cast.opened(tmp_path, STUDY):
        with pytest.raises(StorageError, match=rf"run is in use by pid {os.getpid()} on host ") as caught:
            cast.opened(tmp_path, STUDY)
        assert caught.value.exit_code == 4
        with pytest.raises(StorageError, match="in use"):
            reopen(tmp_path)
        with StoredRun(tmp_path) as run:
            assert run.counts()["planned"] == 3
    cast.opened(tmp_path, STUDY).close()


HOLDER = """
import sys, time
sys.path.insert(0, sys.argv[1])
import cast
from pathlib import Path
store = cast.opened(Path(sys.argv[2]), cast.study("echosim/corrector", turns=4, seeds=(1, 2, 3)))
print("open", flush=True)
time.sleep(60)
"""


def test_the_lock_of_a_killed_process_is_taken_over(tmp_path):
    here = str(Path(__file__).parent)
    other = subprocess.Popen(
        [sys.executable, "-c", HOLDER, here, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert other.stdout.readline() == "open\n"
        with pytest.raises(StorageError, match=rf"in use by pid {other.pid} on host"):
            cast.opened(tmp_path, STUDY)
    finally:
        other.kill()
        other.wait()
        other.stdout.close()
    cast.opened(tmp_path, STUDY).close()


# --- what is refused ----------------------------------------------------------------------------


def test_a_file_or_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="file: is a file; a run is a folder"):
        cast.opened(tmp_path / "file", STUDY)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_text("x")
    with pytest.raises(InputError, match=r"photos: holds cat\.jpg but no run") as caught:
        cast.opened(tmp_path / "photos", STUDY)
    assert caught.value.exit_code == 2
    assert [entry.name for entry in (tmp_path / "photos").iterdir()] == ["cat.jpg"]
    for name in ("photos", "file"):
        with pytest.raises(InputError):
            StoredRun(tmp_path / name)
    with pytest.raises(InputError, match="nowhere: no run there"):
        StoredRun(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_a_database_of_something_else_is_refused(tmp_path):
    other = sqlite3.connect(tmp_path / "run.db")
    other.execute("CREATE TABLE songs (name TEXT)")
    other.close()
    for attempt in (lambda: cast.opened(tmp_path, STUDY), lambda: StoredRun(tmp_path)):
        with pytest.raises(InputError, match="is no run of echosim"):
            attempt()


def test_a_damaged_database_is_storage_trouble(tmp_path):
    (tmp_path / "run.db").write_bytes(b"not a database at all, but long enough to be looked at" * 20)
    for attempt in (lambda: cast.opened(tmp_path, STUDY), lambda: StoredRun(tmp_path)):
        with pytest.raises(StorageError, match="not a database"):
            attempt()


def test_a_newer_run_is_refused(tmp_path):
    fill(tmp_path)
    database = sqlite3.connect(tmp_path / "run.db")
    with database:
        database.execute("UPDATE meta SET value = '2' WHERE key = 'format'")
    database.close()
    for attempt in (
        lambda: cast.opened(tmp_path, STUDY),
        lambda: StoredRun(tmp_path),
        lambda: reopen(tmp_path),
    ):
        with pytest.raises(InputError, match=r"run format 2 is newer than this version knows \(1\)"):
            attempt()


def test_a_changed_study_is_refused_and_changed_limits_are_not(tmp_path):
    fill(tmp_path)
    trials = cast.planned(STUDY)
    asked = []

    def changed(before):
        asked.append(before)
        return ["turns", "targets.corrector.temperature"]

    with pytest.raises(InputError, match=r"has changed .*\(turns, targets\.corrector\.temperature\)"):
        open_run(tmp_path, "other text", trials, {"reader": "hash-reader"}, changed)
    assert asked == [STUDY.model_dump_json()]
    open_run(tmp_path, "new limits", trials, {"reader": "hash-reader"}, lambda _: []).close()
    with StoredRun(tmp_path) as run:
        assert run.study == "new limits"
    with pytest.raises(InputError, match="reader hash-reader then, other now"):
        open_run(tmp_path, "new limits", trials[:2], {"reader": "other"}, changed)


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


# --- calls, scores, readings --------------------------------------------------------------------


def test_calls_are_counted_and_a_call_in_doubt_at_its_worst(tmp_path):
    def call(n):
        return Call("t", "local", 1, n, "hash", Spent(1, 100, 50, 0.1))

    with cast.opened(tmp_path, STUDY) as store:

        async def scene():
            first = await store.intend(call(1))
            await store.settle(first, Attempt("ok", text="secret words"), Spent(1, 10, 5, 0), estimated=False)
            return await store.intend(call(2))

        assert asyncio.run(scene()) == 2
    prices = {"local": Price(input=1, output=2)}
    with cast.opened(tmp_path, STUDY) as store:
        assert store.spent(prices) == Spent(2, 110, 55, (110 + 110) / 1e6)
        assert store.spent({"local": None}).cost == 0
        assert asyncio.run(store.intend(call(3))) == 3
    with StoredRun(tmp_path) as run:
        assert run.in_doubt() == 2
    assert b"secret words" not in (tmp_path / "run.db").read_bytes()


def test_scores_and_other_readings_are_kept_by_reader(tmp_path):
    trial = fill(tmp_path)
    scores = [
        Score(trial=trial, metric="late_stance", value=-0.25),
        Score(trial=trial, metric="flips", value=None, reason="fewer than 3 turns"),
    ]
    readings = {n: turn(n).reading for n in (1, 2)}
    with reopen(tmp_path) as store:
        store.put_scores("a", scores)
        store.put_scores("b", scores[:1])
        store.put_scores("a", scores[1:])
        store.put_readings(trial, "b", readings)
    with StoredRun(tmp_path) as run:
        assert list(run.scores("a")) == scores[1:]
        assert list(run.scores("b")) == scores[:1]
        assert run.readings(trial, "b") == readings
        assert run.readings(trial, "a") == {}


def test_many_writers_of_one_process_share_commits(tmp_path):
    study = cast.study("echosim/corrector", turns=4, seeds=tuple(range(200)))
    commits = []
    with cast.opened(tmp_path, study) as store:
        store._database.set_trace_callback(lambda s: commits.append(s) if s == "COMMIT" else None)

        async def scene():
            trials = cast.planned(study)
            await asyncio.gather(*(store.append(trial.id, turn(1)) for trial in trials))

        asyncio.run(scene())
    assert 1 <= len(commits) < 50
    assert threading.active_count() < 20
    with StoredRun(tmp_path) as run:
        assert all(len(found.turns) == 1 for found in run.transcripts())


def test_transcripts_hold_one_trial_at_a_time(tmp_path):
    fill(tmp_path)
    with StoredRun(tmp_path) as run:
        stream = run.transcripts()
        first = next(stream)
        assert json.loads(first.model_dump_json())["trial"]["id"] == min(t.id for t in cast.planned(STUDY))
        assert run.counts()["planned"] == 3
