"""Does a cell correct false beliefs, or does it just disagree?

    python analyses/frontier.py RUN [OUT]

Net capture on false claims (C_F) against that on true ones (C_T), each cell with both 95% intervals. A cell
that always disagrees lies low on both: it pays for its corrections with true beliefs. Writes frontier.svg,
.png and .csv into OUT (RUN/analyses); the table says which cells no other beats on both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import answers

from echosim import boards
from echosim.board_records import Row
from echosim.held_run import Run
from echosim.reporting import figures
from echosim.reporting.tables import cell_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def answer(run: Run) -> tuple[Figure, answers.Table]:
    """The figure and a row a cell, best ECI first."""
    board = boards.leaderboard(run)
    known = [row for row in board.rows if row.c_false.value is not None and row.c_true.value is not None]
    if not known:
        raise answers.nothing(run, "no cell has both believers of false and of true claims")
    rows = [
        {
            "cell": cell_name(row, board),
            **answers.columns("c_false", row.c_false),
            **answers.columns("c_true", row.c_true),
            "over_correction": row.over_correction.value,
            "eci": row.eci.value,
            "on_the_frontier": "no" if any(beats(other, row) for other in known) else "yes",
        }
        for row in known
    ]
    return figures.frontier(board), rows


def beats(one: Row, other: Row) -> bool:
    """True where `one` corrects more false beliefs and upholds more true ones, by value."""
    here, there = [(row.c_false.value or 0.0, -(row.c_true.value or 0.0)) for row in (one, other)]
    return here[0] < there[0] and here[1] < there[1]


if __name__ == "__main__":
    answers.main("frontier", answer)
