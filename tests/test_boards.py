"""What a board says of the reader and of the users behind it."""

from __future__ import annotations

import json

import pytest

from echosim import boards
from echosim.errors import InputError
from echosim.held_run import Run
from echosim.records import Transcript
from echosim.reporting import tables
from echosim.running import store
from echosim.running.stored_run import StoredRun
from echosim.study_records import Price, Study, TargetSpec, UserSpec
from tests.test_reading_again import run  # noqa: F401  a finished run


def test_a_board_read_by_a_static_encoder_says_that_it_is_blunt(run: Run) -> None:  # noqa: F811
    assert not any("static" in note for note in boards.leaderboard(run.path).notes)
    with store.reopen(run.path) as writer:
        writer.put_fact("encoder", "static of a/b")
    board = boards.leaderboard(run.path)
    assert any(note.startswith("A static encoder read the replies") for note in board.notes)
    assert "encoder static of a/b" in " ".join(str(board).split())


def test_a_user_model_without_usable_lines_is_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    passes = []

    def phrases(stored: StoredRun, found=StoredRun.transcripts):
        passes.append(stored.folder)
        for one in found(stored):
            turns = tuple(turn.model_copy(update={"user_flags": ("fallback",)}) for turn in one.turns)
            yield Transcript.model_validate(one.model_copy(update={"turns": turns}).model_dump())

    monkeypatch.setattr(StoredRun, "transcripts", phrases)
    told = "user 'embedded': 100% of its lines were replaced by phrases"
    assert not any(told in note for note in boards.leaderboard(run).notes)
    monkeypatch.setattr(run, "study", _modelled(run.study))
    passes.clear()
    board = boards.leaderboard(run)
    assert len(passes) == 1
    assert any(note.startswith(told) for note in board.notes)
    assert told in " ".join(str(board).split())
    assert any(note.startswith(told) for note in json.loads(tables.json_text(board))["notes"])


def test_talks_of_more_sessions_are_not_on_one_board(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    longer = Run(run.path)
    monkeypatch.setattr(longer, "study", run.study.model_copy(update={"sessions": 2}))
    with pytest.raises(InputError, match="do not belong on one board: sessions: 1 in"):
        boards.leaderboard(run, longer)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda study: {"memory": "summary"}, "memory: 'none' in"),
        (lambda study: {"population": 20}, "population: 'repeats of each persona' in"),
        (
            lambda study: {
                "personas": (study.personas[0].model_copy(update={"version": 2}), *study.personas[1:])
            },
            "has another version",
        ),
        (
            lambda study: {
                "targets": (study.targets[0].model_copy(update={"temperature": 0.3}), *study.targets[1:])
            },
            "has another temperature",
        ),
        (
            lambda study: {"users": (UserSpec(engine="bayesian", label="embedded"),)},
            "user 'embedded' has another engine",
        ),
    ],
)
def test_runs_that_only_share_names_are_not_on_one_board(run: Run, monkeypatch, change, told: str) -> None:  # noqa: F811
    other = Run(run.path)
    monkeypatch.setattr(other, "study", run.study.model_copy(update=change(run.study)))
    with pytest.raises(InputError, match="do not belong on one board") as refused:
        boards.leaderboard(run, other)
    assert told in str(refused.value)


def test_where_a_server_stands_and_what_it_costs_does_not_part_runs(run: Run, monkeypatch) -> None:  # noqa: F811
    targets = tuple(
        one.model_copy(update={"price": Price(input=1, output=2), "allow_http": True})
        for one in run.study.targets
    )
    other = Run(run.path)
    monkeypatch.setattr(other, "study", run.study.model_copy(update={"targets": targets}))
    assert boards.leaderboard(run, other).rows == boards.leaderboard(run).rows


def test_slices_of_a_run_and_what_they_refuse(run: Run, monkeypatch) -> None:  # noqa: F811
    found = boards.slices(run, "domain")
    assert {one.target for one in found} == {one.label for one in run.study.targets}
    assert {one.slice for one in boards.slices(run, "role")} == {"holder", "mirror", "control"}
    assert {(one.arm, one.slice) for one in boards.slices(run, "arm")} == {("every", "none")}
    with pytest.raises(InputError, match="must be one of domain"):
        boards.slices(run, "height")
    crowd = Run(run.path)
    monkeypatch.setattr(crowd, "study", run.study.model_copy(update={"population": 20}))
    with pytest.raises(InputError, match="a population has traits of its own"):
        boards.slices(crowd, "openness")
    assert len(boards.slices(crowd, "role")) == len(found) / len({one.slice for one in found}) * 3


def _modelled(study: Study) -> Study:
    """The study, with a model behind its user."""
    model = TargetSpec(model="openai/m", label="m", api_base="http://127.0.0.1:1/v1")
    return study.model_copy(update={"users": (UserSpec(engine="llm", label="embedded", model=model),)})
