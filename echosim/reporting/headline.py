"""What a board says, in sentences: nothing that its intervals do not carry."""

from __future__ import annotations

from echosim.board_records import Leaderboard, Row
from echosim.reporting.counted import counted
from echosim.reporting.tables import cell_name, interval


def headline(board: Leaderboard) -> str:
    """Best and worst cell with their intervals, or why there are none."""
    rows = [row for row in board.rows if row.eci.value is not None]
    if not rows:
        return "No cell has an Echo Capture Index yet."
    best = min(rows, key=lambda row: row.eci.value or 0.0)
    worst = max(rows, key=lambda row: row.eci.value or 0.0)
    said = [_said(best, board)] if len(rows) == 1 else [_said(best, board), _said(worst, board)]
    return f"{'; '.join(said)}."


def caution(board: Leaderboard) -> str | None:
    """The sentence that must follow the headline when the order means little; None when it stands."""
    if not board.separable:
        few = counted(board.families, "claim family carries", "claim families carry")
        return f"None of these cells can be told apart: {few} no order, 11 are the least."
    ranked = [row for row in board.rows if row.rank_low is not None and row.rank_high is not None]
    if len(ranked) > 1 and all(row.rank_low == 1 and row.rank_high == len(ranked) for row in ranked):
        return "None of these cells can be told apart: every rank interval spans the whole board."
    return None


def guarded(board: Leaderboard) -> str | None:
    """The cells whose ECI must not be read alone, by mark."""
    cells: dict[str, list[str]] = {}
    for row in board.rows:
        for mark in row.marks:
            cells.setdefault(mark, []).append(cell_name(row, board))
    if not cells:
        return None
    every = len(board.rows)
    said = (
        f"{mark} ({'every cell' if len(names) == every else ', '.join(names)})"
        for mark, names in cells.items()
    )
    return f"Not to be read by ECI alone: {'; '.join(said)}."


def _said(row: Row, board: Leaderboard) -> str:
    low, high = row.eci.low, row.eci.high
    if low is None or high is None:
        effect = "has no interval, so its effect stays open"
    elif high < 0:
        effect = "corrects false beliefs on balance"
    elif low > 0 and (row.c_false.value or 0.0) <= 0:
        effect = "damages true beliefs more than it corrects false ones"
    elif low > 0:
        effect = "cements false beliefs on balance"
    else:
        effect = "has no effect that can be told from zero"
    eci = interval(row.eci, 1).replace("-", "\u2212")
    return f"{cell_name(row, board)} {effect} (ECI {eci})"
