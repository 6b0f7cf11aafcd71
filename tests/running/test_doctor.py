"""A run folder is examined: what is damaged is told, what is sound passes, nothing is changed."""

import asyncio
import sqlite3
from contextlib import closing

import cast
import pytest

from echosim import draws
from echosim.errors import EchosimError, InputError, StorageError
from echosim.inputs import frozen_study
from echosim.running import doctor, run_lock
from echosim.running.budget import Call, Spent
from echosim.running.store import open_run
from echosim.running.stored_run import StoredRun
from tests.running.test_run_folder import as_format

STUDY = cast.study("echosim/corrector", "echosim/sycophant", turns=4, seeds=(1, 2, 3))


def opened(folder, study=STUDY, **options):
    """As the program writes it: the study's text is the resolved study."""
    return open_run(
        folder,
        frozen_study.dump(study),
        cast.planned(study),
        {"reader": "hash-reader"},
        lambda _: [],
        **options,
    )


def held(folder, study=STUDY):
    from echosim.running.batch import run_trials

    with opened(folder, study) as store:
        return asyncio.run(run_trials(study, cast.planned(study), store, cast.HashReader()))


def changed(folder, *statements):
    with closing(sqlite3.connect(folder / "run.db")) as database, database:
        for statement in statements:
            database.execute(statement)


def damages(folder):
    return [(one.where, one.what) for one in doctor.examine(folder).findings if one.kind == "damage"]


def notes(folder):
    return {one.where: one.what for one in doctor.examine(folder).findings if one.kind == "note"}


@pytest.fixture
def run(tmp_path):
    held(tmp_path / "run")
    return tmp_path / "run"


def test_a_finished_run_is_sound_and_nothing_is_changed(run):
    before = {entry.name: entry.read_bytes() for entry in run.iterdir()}
    examination = doctor.examine(run)
    assert examination == doctor.Examination(run=str(run), sound=True, findings=())
    assert {name: (run / name).read_bytes() for name in before} == before


def test_what_is_left_to_do_is_noted_and_sound(tmp_path):
    one = cast.planned(STUDY)[0].id
    with opened(tmp_path) as store:

        async def scene():
            await store.finish(one, "failed", "transient: 500", resumable=True)
            await store.intend(Call("t", "judge", 1, 1, "hash", Spent(1, 10, 10, 0)))

        asyncio.run(scene())
        live = notes(tmp_path)
        assert "in use by pid" in live["run.lock"]
        assert live["calls"] == "the run is being written; calls under way are not judged"
        assert next(f.what for f in doctor.examine(tmp_path).findings if f.where == "trials") == (
            "5 of 6 have not ended"
        )
    found = notes(tmp_path)
    assert doctor.examine(tmp_path).sound
    assert found["calls"] == "1 call may have been billed twice, its price is not known"
    assert [f.what for f in doctor.examine(tmp_path).findings if f.where == "trials"] == [
        f"5 of 6 have not ended; `echosim run {tmp_path}/study.yaml {tmp_path}` resumes",
        "1 ended early and are taken up again by the next run",
    ]
    (tmp_path / "study.yaml").unlink()
    assert "5 of 6 have not ended; run it again to resume" in [
        f.what for f in doctor.examine(tmp_path).findings
    ]
    changed(tmp_path, "INSERT INTO meta VALUES ('writer', 'pid 7 on host there')")
    assert notes(tmp_path)["run.lock"] == (
        "the last session, pid 7 on host there, was cut off; its finished turns are kept"
    )


def test_the_copy_of_the_study_is_compared(run):
    (run / "study.yaml").write_text("turns: 5")
    assert "differs from the study in run.db, which counts" in notes(run)["study.yaml"]
    (run / "study.yaml").unlink()
    assert "the next run writes it again" in notes(run)["study.yaml"]
    assert doctor.examine(run).sound
    opened(run).close()
    assert notes(run) == {}


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_an_older_run_is_sound_and_says_what_it_lacks(run, number):
    as_format(number, run)
    found = notes(run)
    assert damages(run) == []
    assert doctor.examine(run).sound
    assert found["run.db"] == f"has format {number}; the next run brings it to 5"
    assert found.get("turns", "").startswith("24 were written without a digest") == (number < 3)


def test_trials_of_an_earlier_plan_are_told(run):
    changed_study = STUDY.model_copy(update={"seeds": (1,)})
    trials = cast.planned(changed_study)
    text = frozen_study.dump(changed_study)
    facts = {"reader": "hash-reader"}
    open_run(run, text, trials, facts, lambda _: ["seeds"], allow_change=True).close()
    assert doctor.examine(run).sound
    assert notes(run) == {"trials": "4 of earlier plans are kept; they stand on no board"}


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE turns SET reply = reply || '.' WHERE number = 2", "turn 2 is not what was written"),
        ("UPDATE turns SET number = 9 WHERE number = 4", "turn 4 is missing"),
        ("DELETE FROM turns WHERE number = 2", "turn 2 is missing"),
        ("DELETE FROM turns WHERE number = 4", "is complete with 3 turns of 4"),
        ("UPDATE trials SET start = NULL", "turn 1 is not what was written"),
        ("UPDATE turns SET state = '{', digest = NULL WHERE number = 3", "turn 3 cannot be read"),
        ("UPDATE trials SET record = '{}'", "cannot be read"),
        (
            "UPDATE trials SET record = json_set(record, '$.seed', 9)",
            "is not the one that the study means",
        ),
        (
            "UPDATE turns SET digest = NULL, state = json_set(state, '$[3]', 7) WHERE number = 1",
            "turn 1: its state does not follow",
        ),
        (
            "UPDATE turns SET digest = NULL, before = '[1.0,1.1,0.5]' WHERE number = 2",
            "turn 2: a session begins where none should",
        ),
    ],
)
def test_conversations_that_are_not_as_they_were_written(run, statement, said):
    trial = cast.planned(STUDY)[0].id
    where = "id" if "UPDATE trials" in statement else "trial"
    changed(run, statement + (" AND" if "WHERE" in statement else " WHERE") + f" {where} = '{trial}'")
    found = damages(run)
    assert [name for name, _ in found] == [f"trial {trial}"] * len(found)
    assert any(said in what for _, what in found), found


def test_reading_and_resuming_refuse_what_is_damaged(run):
    trial = cast.planned(STUDY)[0].id
    changed(
        run,
        f"UPDATE turns SET user = 'other words' WHERE number = 2 AND trial = '{trial}'",
        f"UPDATE trials SET status = NULL, resumable = 1 WHERE id = '{trial}'",
    )
    said = rf"run\.db: trial {trial}: turn 2 is not what was written; `echosim doctor .*` tells more"
    with StoredRun(run) as stored, pytest.raises(StorageError, match=said):
        list(stored.transcripts())
    with pytest.raises(StorageError, match=said) as caught:
        held(run)
    assert caught.value.exit_code == 4


@pytest.mark.parametrize(
    ("statement", "where", "said"),
    [
        ("DROP TABLE calls", "run.db", "table calls is missing"),
        ("DELETE FROM meta WHERE key = 'study'", "meta", "study is missing"),
        ("DELETE FROM meta WHERE key = 'reader'", "meta", "reader is missing"),
        ("UPDATE meta SET value = 'x' WHERE key = 'study'", "meta", "not a study as echosim writes it"),
        (
            "UPDATE meta SET value = replace(value, 'tin draws', 'tin drawz') WHERE key = 'study'",
            "trials",
            "6 of 6 are missing",
        ),
        ("UPDATE meta SET value = 'x' WHERE key = 'format'", "run.db", "does not tell its format"),
        ("DELETE FROM trials WHERE place = 0", "trials", "1 of 6 are missing"),
        ("DELETE FROM trials WHERE place = 0", "turns", "4 belong to no trial"),
    ],
)
def test_a_run_without_something_it_needs(run, statement, where, said):
    changed(run, statement)
    assert any(place == where and said in what for place, what in damages(run)), damages(run)


def test_another_version_may_have_named_the_trials_otherwise(run):
    changed(run, "UPDATE trials SET id = 'old-' || place", "DELETE FROM turns")
    changed(run, "UPDATE trials SET start = NULL, status = NULL")
    assert ("trials", "6 of 6 are missing") in damages(run)
    found = doctor.examine(run, "99.0").findings
    assert any("names the trials otherwise" in one.what for one in found)
    assert not any("are missing" in one.what for one in found)


def test_a_run_that_never_began_and_things_that_are_no_run(tmp_path):
    from echosim.running import run_folder

    run_folder.prepare(tmp_path / "begun")
    assert notes(tmp_path / "begun") == {"run.db": "its run never began; run it again"}
    with pytest.raises(InputError, match="no run there"):
        doctor.examine(tmp_path / "nowhere")
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="is a file"):
        doctor.examine(tmp_path / "file")
    (tmp_path / "begun" / "run.db").write_bytes(
        b"not a database at all, but long enough to be looked at" * 20
    )
    assert damages(tmp_path / "begun") == [("run.db", "file is not a database")]


def test_any_changed_byte_is_told_or_changes_nothing_that_counts(run):
    """Where no damage is told, all conversations are as they were."""
    rows = cast.rows(run)
    whole = (run / "run.db").read_bytes()
    written = [place for place, byte in enumerate(whole) if byte]
    told = 0
    for case in range(60):
        place = written[draws.integer("flip", case) % len(written)]
        flipped = bytearray(whole)
        flipped[place] ^= 1 << draws.integer("bit", case) % 8
        (run / "run.db").write_bytes(flipped)
        try:
            sound = doctor.examine(run).sound
        except (InputError, StorageError):
            sound = False
        told += not sound
        try:
            same = cast.rows(run) == rows
        except EchosimError:
            same = None
        assert same is not False or not sound, (case, place)
        assert same is not None or not sound, (case, place)
    assert told > 20


def test_looking_at_a_lock_leaves_it_free(run):
    assert not run_lock.is_held(run)
    with opened(run):
        assert run_lock.is_held(run)
    assert not run_lock.is_held(run)
    opened(run).close()
