"""`doctor`, `merge`, `run --allow-change`: what they print and how they exit."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import cast
import pytest
from typer.testing import CliRunner

from echosim import boards
from echosim.cli import app
from echosim.held_run import cut_off, own_study
from echosim.running.budget import Call, Spent
from echosim.running.store import reopen
from echosim.running.stored_run import StoredRun
from tests.running.test_doctor import changed
from tests.running.test_merge import PEOPLE, WHOLE, held, opened, part

STUDY = """
format: 1
name: roofs
personas: [flat-earth]
targets: [{model: echosim/corrector, label: corrector}]
anchors: false
turns: 2
seeds: SEEDS
"""


def call(*words: object, code: int = 0) -> tuple[str, str]:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == code, (result.output, result.exception)
    assert "Traceback" not in result.output
    return result.stdout, result.stderr


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return held(tmp_path / "run", WHOLE)


def test_a_sound_run(run):
    assert call("doctor", run)[0] == f"{run}: sound\n"
    assert json.loads(call("doctor", run, "--json")[0]) == {"run": str(run), "sound": True, "findings": []}


def test_a_damaged_run_is_told_and_saved(run, tmp_path):
    trial = cast.planned(WHOLE)[0]
    changed(run, f"UPDATE turns SET user = 'x' WHERE trial = '{trial.id}' AND number = 3")
    out, err = call("doctor", run, code=4)
    assert f"damage  trial {trial.id}  turn 3 is not what was written" in out
    assert out.endswith(f"{run}: 1 damage\n")
    assert f"echosim doctor {run} --salvage NEWFOLDER" in err
    assert json.loads(call("doctor", run, "--json", code=4)[0])["sound"] is False
    out, _ = call("doctor", run, "--salvage", tmp_path / "new")
    assert f"saved 35 turns of 12 trials into {tmp_path / 'new'}" in out
    assert f"1 trial will be held again by echosim run {tmp_path}/new/study.yaml {tmp_path}/new" in out
    row = next(line for line in out.splitlines() if line.startswith(trial.id)).split()
    assert row[:5] == [trial.id, trial.persona, trial.target, "1", "2"]
    saved = json.loads(call("doctor", run, "--salvage", tmp_path / "newer", "--json")[0])["salvage"]
    assert [(one["trial"], one["kept"]) for one in saved["again"]] == [(trial.id, 2)]
    assert call("doctor", tmp_path / "new")[0].endswith(": sound\n")


def test_what_is_no_run(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_text("x")
    for verb in (["doctor"], ["merge", tmp_path / "out"], ["show"], ["leaderboard"], ["export"]):
        assert "holds cat.jpg but no run" in call(*verb, tmp_path / "photos", code=2)[1]
        assert "no run there" in call(*verb, tmp_path / "nowhere", code=2)[1]
    assert not (tmp_path / "out").exists()


def test_a_newer_run_a_file_and_a_damaged_one(run, tmp_path):
    study = tmp_path / "study.yaml"
    study.write_text(STUDY.replace("SEEDS", "[1]"))
    (tmp_path / "file").write_text("x")
    assert "is a file; a run is a folder" in call("show", tmp_path / "file", code=2)[1]
    changed(run, "UPDATE turns SET reply = 'other' WHERE number = 2")
    for verb in ("show", "export", "leaderboard"):
        assert "turn 2 is not what was written; `echosim doctor " in call(verb, run, code=4)[1]
    changed(run, "UPDATE meta SET value = '99' WHERE key = 'format'")
    for verb in ("show", "doctor", "export", "leaderboard", "score"):
        assert "run format 99 is newer than this version knows" in call(verb, run, code=2)[1]
    (run / "run.db").write_bytes(b"x" * 5000)
    for verb in ("show", "export", "leaderboard", "score"):
        assert "file is not a database; `echosim doctor " in call(verb, run, code=4)[1]
    assert "file is not a database" in call("doctor", run, code=4)[0]


def test_a_session_that_was_cut_off_is_known_and_a_live_one_is_not_meant(run, tmp_path):
    assert cut_off(run) is None
    assert cut_off(tmp_path / "nowhere") is None
    changed(run, "INSERT INTO meta VALUES ('writer', 'pid 7 on host there')")
    assert cut_off(run) == "pid 7 on host there"
    with reopen(run):
        assert cut_off(run) is None
    assert cut_off(run) is None


def test_calls_in_doubt_and_a_session_that_was_cut_off(run):
    with reopen(run) as store:
        asyncio.run(store.intend(Call("t", "corrector", 1, 1, "hash", Spent(1, 10, 10, 0))))
    changed(run, "INSERT INTO meta VALUES ('writer', 'pid 7 on host there')")
    out, _ = call("doctor", run)
    assert "1 call may have been billed twice, its price is not known" in out
    assert "the last session, pid 7 on host there, was cut off" in out
    assert out.endswith(": sound\n")


def test_merge_prints_what_it_made(tmp_path):
    shards = [held(tmp_path / "a", part(seeds=(1, 2))), held(tmp_path / "b", part(seeds=(2, 3)))]
    out, _ = call("merge", tmp_path / "out", *shards)
    assert out.splitlines() == [
        f"merged   12 trials of 2 runs into {tmp_path / 'out'}",
        "twice    4 trials in more than one of them, kept once",
        f"board    echosim leaderboard {tmp_path / 'out'}",
    ]
    made = json.loads(call("merge", tmp_path / "again", *shards, "--json")[0])
    assert (made["trials"], made["held"], made["twice"], made["absent"]) == (12, 12, 4, 0)
    whole = held(tmp_path / "whole", WHOLE)
    for words in (["export"], ["leaderboard", "--json"], ["show"]):
        assert call(*words, tmp_path / "out") == call(*words, whole)
    other = held(tmp_path / "other", part(turns=2))
    assert "turns: 3 in" in call("merge", tmp_path / "no", shards[0], other, code=2)[1]


def test_merge_says_what_is_left_and_how_to_go_on(tmp_path):
    shards = [held(tmp_path / "a", part(seeds=(1,), personas=PEOPLE[:1])), tmp_path / "b"]
    opened(shards[1], part(seeds=(2, 3), personas=PEOPLE[1:])).close()
    out = tmp_path / "out"
    assert call("merge", out, *shards)[0].splitlines()[1:4] == [
        "absent   6 trials of the whole study in none of them",
        "open     4 trials not finished",
        f"resume   echosim run {out}/study.yaml {out}",
    ]
    listed = call("show", out)[0].splitlines()[1:]
    assert sorted(line.split()[1] for line in listed) == ["complete"] * 2 + ["unfinished"] * 10
    shown = json.loads(call("show", out, "--json")[0])["trials"]
    assert sum(one["status"] == "unfinished" for one in shown) == 10
    exported = [json.loads(line) for line in call("export", out)[0].splitlines()]
    assert sum(one["status"] == "limited" for one in exported) == 10


def test_the_resolved_study_of_a_run_resumes_that_run_alone(tmp_path):
    run, other = held(tmp_path / "run", WHOLE), held(tmp_path / "other", WHOLE)
    assert own_study(run / "study.yaml", run) == WHOLE
    assert own_study(tmp_path / "other" / ".." / "run" / "study.yaml", run) == WHOLE
    assert own_study(other / "study.yaml", run) is None
    assert own_study("quickstart", run) is None
    (run / "study.yaml").write_text(STUDY)
    assert own_study(run / "study.yaml", run) is None
    (run / "study.yaml").unlink()
    assert own_study(run / "study.yaml", run) is None


def test_a_damaged_run_of_which_nothing_can_be_saved(run, tmp_path):
    changed(run, "DELETE FROM meta WHERE key = 'reader'")
    _, err = call("doctor", run, code=4)
    assert "Nothing can be saved: " in err
    assert "--salvage" not in err
    assert "which reader the users had" in call("doctor", run, "--salvage", tmp_path / "new", code=4)[1]


def test_the_help_of_run_tells_how_its_events_end():
    assert "interrupted" in call("run", "--help")[0]


@pytest.mark.slow
def test_the_command_that_merge_prints_resumes(tmp_path, monkeypatch):
    monkeypatch.setattr(boards, "new_reader", lambda _: Prepared())
    study, out = tmp_path / "study.yaml", tmp_path / "out"
    study.write_text(STUDY.replace("SEEDS", "[1]"))
    call("run", study, tmp_path / "a", "--quiet")
    changed(
        tmp_path / "a", "UPDATE trials SET status = NULL, resumable = 1", "DELETE FROM turns WHERE number = 2"
    )
    printed = call("merge", out, tmp_path / "a")[0].splitlines()
    command = next(line for line in printed if line.startswith("resume")).split()[1:]
    assert command == ["echosim", "run", f"{out}/study.yaml", str(out)]
    call(*command[1:], "--quiet")
    assert call("doctor", out)[0] == f"{out}: sound\n"
    assert len(call("export", out)[0].splitlines()) == 3


@pytest.mark.slow
def test_a_changed_study_is_refused_or_begins_a_new_generation(tmp_path, monkeypatch):
    monkeypatch.setattr(boards, "new_reader", lambda _: Prepared())
    study, out = tmp_path / "study.yaml", tmp_path / "out"
    study.write_text(STUDY.replace("SEEDS", "[1, 2]"))
    call("run", study, out, "--quiet")
    study.write_text(STUDY.replace("SEEDS", "[2, 3]"))
    refused = call("run", study, out, "--quiet", code=2)[1]
    assert "the study has changed since this run began (seeds)" in refused
    assert "--allow-change" in refused
    assert "3 trials of earlier plans kept" in call("run", study, out, "--quiet", "--allow-change")[1]
    assert "3 trials of earlier plans kept" in call("show", out)[1]
    assert "3 of earlier plans are kept; they stand on no board" in call("doctor", out)[0]
    fresh = tmp_path / "fresh"
    call("run", study, fresh, "--quiet")
    for words in (["export"], ["leaderboard", "--json"]):
        assert call(*words, out) == call(*words, fresh)
    with StoredRun(out) as stored:
        assert {one.trial.seed for one in stored.transcripts()} == {2, 3}


class Prepared(cast.HashReader):
    """The hash reader, with what the program asks of a reader besides."""

    def prepare(self, speakers, tell) -> None:
        tell(len(speakers), len(speakers))
