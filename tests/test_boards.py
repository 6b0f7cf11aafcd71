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
from echosim.study_records import Study, TargetSpec, UserSpec
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


def _modelled(study: Study) -> Study:
    """The study, with a model behind its user."""
    model = TargetSpec(model="openai/m", label="m", api_base="http://127.0.0.1:1/v1")
    return study.model_copy(update={"users": (UserSpec(engine="llm", label="embedded", model=model),)})
