"""What a damaged run still holds goes into a new one, and the rest is held again."""

import asyncio
import sqlite3
from contextlib import closing

import cast
import pytest

from echosim import draws
from echosim.errors import EchosimError, InputError, StorageError
from echosim.running import doctor
from echosim.running.budget import Call, Spent
from echosim.running.salvage import obstacle, salvage
from echosim.running.stored_run import StoredRun
from tests.running.test_doctor import STUDY, changed, held, opened
from tests.running.test_run_folder import as_format


@pytest.fixture
def run(tmp_path):
    held(tmp_path / "run")
    return tmp_path / "run"


def test_a_sound_run_is_copied_whole(run, tmp_path):
    assert obstacle(run) is None
    saved = salvage(run, tmp_path / "new")
    assert (saved.trials, saved.turns, saved.calls_lost, saved.again) == (6, 24, 0, ())
    assert cast.rows(tmp_path / "new") == cast.rows(run)
    assert doctor.examine(tmp_path / "new").sound
    assert held(tmp_path / "new").complete == 6


def test_only_what_is_touched_is_held_again(run, tmp_path):
    rows = cast.rows(run)
    one, two = (trial.id for trial in cast.planned(STUDY)[:2])
    changed(
        run,
        f"UPDATE turns SET reply = 'forged' WHERE trial = '{one}' AND number = 3",
        f"DELETE FROM trials WHERE id = '{two}'",
    )
    before = (run / "run.db").read_bytes()
    saved = salvage(run, tmp_path / "new")
    assert (run / "run.db").read_bytes() == before
    assert [(again.trial, again.kept, again.reason) for again in saved.again] == [
        (one, 2, "turn 3 is not what was written"),
        (two, 0, "its row cannot be read"),
    ]
    assert saved.turns == 4 * 4 + 2
    assert doctor.examine(tmp_path / "new").sound
    told = []
    with opened(tmp_path / "new") as store:
        from echosim.running.batch import run_trials

        asyncio.run(run_trials(STUDY, cast.planned(STUDY), store, cast.HashReader(), told.append))
    assert told[-1].turns == 2 + 4
    assert cast.rows(tmp_path / "new") == rows


def test_calls_readings_and_earlier_plans_come_along(run, tmp_path):
    trial = cast.planned(STUDY)[0].id
    with opened(run) as store:

        async def scene():
            for n in (1, 2, 3):
                await store.intend(Call(trial, "local", n, 1, "hash", Spent(1, 10, 10, 0)))
            await store.append_reading(trial, 1, "judge", cast_reading())

        asyncio.run(scene())
    changed(run, "DELETE FROM calls WHERE number = 2", """INSERT INTO past VALUES (1, '{"study": "x"}')""")
    saved = salvage(run, tmp_path / "new")
    assert saved.calls_lost == 1
    with StoredRun(tmp_path / "new") as new:
        assert new.in_doubt({}).calls == 2
        assert len(new.readings_as(type(cast_reading()), trial, "judge")) == 1
        assert new._rows("SELECT generation FROM past") == [(1,)]


def cast_reading():
    from echosim.records import Reading

    return Reading(stance=0.5, evidence=0, warmth=0, on_topic=1)


def test_the_study_beside_the_database_will_do(run, tmp_path):
    changed(run, "UPDATE meta SET value = 'x' WHERE key = 'study'")
    assert salvage(run, tmp_path / "new").again == ()
    (run / "study.yaml").unlink()
    with pytest.raises(StorageError, match=r"neither run\.db nor study\.yaml"):
        salvage(run, tmp_path / "newer")
    assert not (tmp_path / "newer").exists()


def test_what_cannot_be_salvaged_says_why(run, tmp_path):
    with opened(run), pytest.raises(StorageError, match="in use"):
        salvage(run, tmp_path / "new")
    with pytest.raises(InputError, match="holds a run already"):
        salvage(run, run)
    with pytest.raises(InputError, match="no run there"):
        salvage(tmp_path / "nowhere", tmp_path / "new")
    changed(run, "DELETE FROM meta WHERE key = 'reader'")
    with pytest.raises(StorageError, match="which reader"):
        salvage(run, tmp_path / "new")
    assert "which reader" in obstacle(run)
    (run / "run.db").write_bytes(b"x" * 5000)
    with pytest.raises(StorageError, match="nothing can be read"):
        salvage(run, tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("case", range(12))
def test_a_page_full_of_noise_costs_what_lies_on_it(run, tmp_path, case):
    """Whatever page it is: what is saved is sound, and the run goes on from it to the same end."""
    rows = cast.rows(run)
    whole = bytearray((run / "run.db").read_bytes())
    size = int.from_bytes(whole[16:18], "big")
    page = 1 + draws.integer("page", case) % (len(whole) // size - 1)
    if b"hash-reader" in whole[page * size : (page + 1) * size]:
        page += 1  # the only page of `meta`: without it nobody can tell any more which reader it was
    whole[page * size : (page + 1) * size] = bytes(draws.integer("noise", i) % 256 for i in range(size))
    (run / "run.db").write_bytes(whole)
    saved = salvage(run, tmp_path / "new")
    assert doctor.examine(tmp_path / "new").sound
    assert held(tmp_path / "new").complete == 6
    assert cast.rows(tmp_path / "new") == rows
    assert all(again.kept < 4 for again in saved.again)


def replies(folder):
    with StoredRun(folder) as stored:
        return [[turn.reply for turn in one.turns] for one in stored.transcripts()]


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_an_older_run_is_salvaged_into_one_of_today(run, tmp_path, number):
    said = replies(run)
    one = cast.planned(STUDY)[0].id
    as_format(number, run)
    changed(run, f"UPDATE turns SET state = '{{' WHERE trial = '{one}' AND number = 3")
    saved = salvage(run, tmp_path / "new")
    assert [(again.trial, again.kept) for again in saved.again] == [(one, 2)]
    assert held(tmp_path / "new").complete == 6
    assert replies(tmp_path / "new") == said


def test_without_the_index_all_turns_are_still_found(run, tmp_path):
    with closing(sqlite3.connect(run / "run.db")) as database:
        root = database.execute(
            "SELECT rootpage FROM sqlite_master WHERE type = 'index' AND tbl_name = 'turns'"
        ).fetchone()[0]
        size = database.execute("PRAGMA page_size").fetchone()[0]
    whole = bytearray((run / "run.db").read_bytes())
    whole[(root - 1) * size : root * size] = bytes(size)
    (run / "run.db").write_bytes(whole)
    assert not doctor.examine(run).sound
    saved = salvage(run, tmp_path / "new")
    assert (saved.turns, saved.again) == (24, ())


def test_a_trial_that_ended_early_is_not_taken_for_shorter_than_it_was(run, tmp_path):
    one = cast.planned(STUDY)[0].id
    changed(
        run,
        f"DELETE FROM turns WHERE trial = '{one}' AND number = 4",
        f"UPDATE trials SET status = 'refused', reason = 'filtered' WHERE id = '{one}'",
    )
    assert salvage(run, tmp_path / "a").again == ()
    changed(run, f"UPDATE turns SET reply = 'x' WHERE trial = '{one}' AND number = 3")
    (again,) = salvage(run, tmp_path / "b").again
    assert (again.trial, again.kept) == (one, 2)
    with StoredRun(tmp_path / "b") as new:
        assert new.counts()["unfinished"] == 1


def test_a_cut_file_is_salvaged(run, tmp_path):
    rows = cast.rows(run)
    whole = (run / "run.db").read_bytes()
    with closing(sqlite3.connect(run / "run.db")) as database:
        size = database.execute("PRAGMA page_size").fetchone()[0]
    for left in range(len(whole) // size - 1, len(whole) // size // 2, -2):
        (run / "run.db").write_bytes(whole[: left * size + 100])
        out = tmp_path / f"new-{left}"
        salvage(run, out)
        assert held(out).complete == 6
        assert cast.rows(out) == rows


@pytest.mark.parametrize("beside", [True, False])
def test_a_cut_file_has_an_obstacle_exactly_where_salvage_refuses(run, tmp_path, beside):
    """With the copy of the study beside it, and without."""
    whole = (run / "run.db").read_bytes()
    if not beside:
        (run / "study.yaml").unlink()
    refused = []
    for cut in range(12):
        (run / "run.db").write_bytes(whole[: len(whole) * cut // 12 + 100])
        why = obstacle(run)
        refused.append(why is not None)
        if why is None:
            salvage(run, tmp_path / f"new-{cut}")
        else:
            with pytest.raises(EchosimError) as caught:
                salvage(run, tmp_path / f"new-{cut}")
            assert str(caught.value) == why
    assert refused[0]
    assert beside == (not refused[-1])
