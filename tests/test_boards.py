"""What a board says of the reader behind it."""

from __future__ import annotations

from echosim import boards
from echosim.held_run import Run
from echosim.running import store
from tests.test_reading_again import run  # noqa: F401  a finished run


def test_a_board_read_by_a_static_encoder_says_that_it_is_blunt(run: Run) -> None:  # noqa: F811
    assert not any("static" in note for note in boards.leaderboard(run.path).notes)
    with store.reopen(run.path) as writer:
        writer.put_fact("encoder", "static of a/b")
    board = boards.leaderboard(run.path)
    assert any(note.startswith("A static encoder read the replies") for note in board.notes)
    assert "encoder static of a/b" in " ".join(str(board).split())
