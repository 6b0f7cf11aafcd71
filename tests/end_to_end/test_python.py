"""A study through the public functions, with the real encoder."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path

import pytest

import echosim as es
from echosim import api
from echosim.errors import InputError, StudyError


def exported(run: es.Run) -> str:
    stream = io.StringIO()
    api.export_jsonl(run, stream)
    return stream.getvalue()


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> es.Run:
    from tests.end_to_end.conftest import STUDY

    folder = tmp_path_factory.mktemp("held")
    (folder / "small.yaml").write_text(STUDY)
    return es.run(folder / "small.yaml", folder / "out")


def test_the_run_is_complete_and_reads_back(held: es.Run) -> None:
    assert held.summary.exit_code == 0
    assert held.summary.complete == held.summary.planned == 18
    transcripts = list(held.trials())
    assert [t.trial.id for t in transcripts] == sorted(t.trial.id for t in transcripts)
    assert all(len(t.turns) == 3 for t in transcripts)
    assert list(api.open_run(held.path).trials()) == transcripts


def test_the_same_seed_gives_the_same_bytes(held: es.Run, study: Path, tmp_path: Path) -> None:
    again = es.run(es.load_study(study), tmp_path / "again")
    assert exported(again) == exported(held)


def test_a_second_run_repeats_nothing(held: es.Run, study: Path) -> None:
    before = exported(held)
    told = []
    es.run(study, held.path, progress=told.append)
    assert exported(held) == before
    assert all(progress.turns == 0 for progress in told)


def test_it_works_inside_a_running_event_loop(held: es.Run, study: Path, tmp_path: Path) -> None:
    async def notebook() -> es.Run:
        return es.run(study, tmp_path / "inside")

    assert exported(asyncio.run(notebook())) == exported(held)


def test_every_cell_meets_the_same_user(held: es.Run) -> None:
    first = {}
    for transcript in held.trials():
        first.setdefault(transcript.trial.persona, set()).add(transcript.turns[0].user)
    assert all(len(lines) == 1 for lines in first.values())


def test_corrector_and_sycophant_are_told_apart(held: es.Run) -> None:
    board = es.leaderboard(held)
    by_name = {row.target: row for row in board.rows}
    assert by_name["corrector"].c_false.value < -0.2
    assert by_name["sycophant"].c_false.value > 0.05
    assert not board.separable
    assert "corrector" in str(board)
    assert "Every target is a built-in reference target" in " ".join(board.notes)


def test_scores_are_kept_and_finite_or_explained(held: es.Run) -> None:
    scores = es.score(held)
    assert len(scores) == 18 * 15
    assert all((score.value is None) == (score.reason is not None) for score in scores)


def test_the_export_is_the_contract(held: es.Run) -> None:
    for line in exported(held).splitlines():
        trial = json.loads(line)
        assert list(trial) == [
            "trial_id", "persona", "family", "role", "target", "arm", "user", "seed", "status", "turns",
        ]  # fmt: skip
        for turn in trial["turns"]:
            assert list(turn) == [
                "index", "user", "reply", "stance", "evidence", "warmth", "on_topic",
                "confidence_before", "confidence_after", "trust",
            ]  # fmt: skip
            assert -1 <= turn["stance"] <= 1


def test_the_report_is_written(held: es.Run, tmp_path: Path) -> None:
    page = api.report(held, tmp_path / "report")
    text = page.read_text("utf-8")
    assert "flat-earth-holder" in text
    assert (tmp_path / "report" / "figures" / "leaderboard.png").stat().st_size > 5000


def test_without_nudges_there_is_no_loop_gain(held: es.Run) -> None:
    assert es.loop_gain(held) == ()
    assert all(turn.report is not None for trial in held.trials() for turn in trial.turns)


def test_nudged_users_give_a_loop_gain_and_its_place_in_the_report(study: Path, tmp_path: Path) -> None:
    """Neither target looks at the number; the reader's noise is all that is left of a slope."""
    text = study.read_text().replace("turns: 3\nseeds: [1]", "turns: 8\npopulation: 2")
    text = text.replace(', "echosim/mix(0.5)"', "").replace(", antibiotics-cold", ", moon-landing, star-sign")
    study.write_text(f"{text}users: ['embedded(\"nudge\")']\n")
    run = es.run(study, tmp_path / "out")
    found = es.loop_gain(run)
    assert [cell.target for cell in found] == ["corrector", "sycophant"]
    for cell in found:
        assert cell.gain.n == 3
        assert cell.kappa_mu.low < 0 < cell.kappa_mu.high
        assert abs(cell.kappa_mu.value) < 0.5
    page = api.report(run, tmp_path / "report").read_text("utf-8")
    assert "Does the talk feed on itself?" in page


def test_a_changed_study_is_refused_with_its_fields(held: es.Run, study: Path) -> None:
    study.write_text(study.read_text().replace("turns: 3", "turns: 4"))
    with pytest.raises(InputError, match=r"study has changed.*turns"):
        es.run(study, held.path)


def test_many_paid_calls_want_a_yes(tmp_path: Path) -> None:
    path = tmp_path / "paid.yaml"
    path.write_text(
        "format: 1\nname: paid\npersonas: [all]\nturns: 12\n"
        "targets: [{model: openai/x, api_base: 'http://127.0.0.1:9/v1'}]\n"
    )
    with pytest.raises(InputError, match=r"1,296 paid calls.*--yes"):
        es.run(path, tmp_path / "out")


def test_no_key_is_said_before_anything_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    path = tmp_path / "keyless.yaml"
    path.write_text("format: 1\nname: k\npersonas: [flat-earth]\ntargets: [openai/gpt-4o-mini]\nturns: 2\n")
    with pytest.raises(StudyError, match="OPENAI_API_KEY"):
        es.run(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_runs_of_different_length_do_not_share_a_board(held: es.Run, study: Path, tmp_path: Path) -> None:
    study.write_text(study.read_text().replace("turns: 3", "turns: 2").replace(", antibiotics-cold", ""))
    other = es.run(study, tmp_path / "other")
    with pytest.raises(InputError, match=r"do not belong on one board: turns"):
        es.leaderboard(held, other)
