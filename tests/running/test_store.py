import asyncio
import json
import os
import socket
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import cast
import pytest

from echosim.errors import InputError, StorageError
from echosim.records import BeliefState, Reading, Report, Score, Turn
from echosim.running.budget import Call, Spent
from echosim.running.outcomes import Attempt
from echosim.running.store import reopen
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


def test_what_belongs_to_users_and_sessions_is_read_back(tmp_path):
    trial = fill(tmp_path)
    report = Report(private=0.3, public=None, answers=(0.2, None), incoherence=0.1, retest=0.0)
    later = turn(3, before=state(7), report=report, after_gap=True, memory="notes", user_flags=("a", "b"))
    with cast.opened(tmp_path, STUDY) as store:
        asyncio.run(store.append(trial, later))
    with StoredRun(tmp_path) as run:
        assert next(one for one in run.transcripts() if one.turns).turns[2] == later


def test_who_writes_is_noted_while_it_does_and_no_longer(tmp_path):
    for begin in (lambda: cast.opened(tmp_path, STUDY), lambda: reopen(tmp_path)):
        with begin(), StoredRun(tmp_path) as run:
            assert run.facts()["writer"] == f"pid {os.getpid()} on host {socket.gethostname()}"
        with StoredRun(tmp_path) as run:
            assert "writer" not in run.facts()


def test_the_model_that_answered_is_known_before_a_trial_has_ended(tmp_path):
    """A session that is cut off after the last turn leaves nothing to ask again."""
    one, two = (trial.id for trial in cast.planned(STUDY)[:2])

    async def answered(store, trial, target, name):
        number = await store.intend(Call(trial, target, 1, 1, "hash", Spent(1, 10, 10, 0)))
        attempt = Attempt("ok", text="x", returned_model=name)
        await store.settle(number, attempt, Spent(1, 10, 5, 0), estimated=False)

    with cast.opened(tmp_path, STUDY) as store:
        asyncio.run(answered(store, one, "corrector", "first"))
        asyncio.run(answered(store, one, "corrector", "second"))
        asyncio.run(answered(store, two, "the model behind the user", "voice"))
        asyncio.run(store.finish(one, "complete"))
    with StoredRun(tmp_path) as run:
        assert run.transcript(one).returned_model == "second"
        assert run.transcript(two).returned_model is None


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
        assert run.in_doubt({}).calls == 2
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
        store.put_readings("b", {trial: readings})
    with StoredRun(tmp_path) as run:
        assert list(run.scores("a")) == scores[1:]
        assert list(run.scores("b")) == scores[:1]
        assert run.readings(trial, "b") == readings
        assert run.readings(trial, "a") == {}


def test_many_writers_of_one_process_share_commits(tmp_path):
    before = threading.active_count()  # libraries keep threads that earlier tests made them begin
    study = cast.study("echosim/corrector", turns=4, seeds=tuple(range(200)))
    commits = []
    with cast.opened(tmp_path, study) as store:
        store._database.set_trace_callback(lambda s: commits.append(s) if s == "COMMIT" else None)

        async def scene():
            trials = cast.planned(study)
            await asyncio.gather(*(store.append(trial.id, turn(1)) for trial in trials))
            assert threading.active_count() < before + 10

        asyncio.run(scene())
    assert 1 <= len(commits) < 50
    assert threading.active_count() <= before
    with StoredRun(tmp_path) as run:
        assert all(len(found.turns) == 1 for found in run.transcripts())


def test_transcripts_hold_one_trial_at_a_time(tmp_path):
    fill(tmp_path)
    with StoredRun(tmp_path) as run:
        stream = run.transcripts()
        first = next(stream)
        assert json.loads(first.model_dump_json())["trial"]["id"] == min(t.id for t in cast.planned(STUDY))
        assert run.counts()["planned"] == 3
