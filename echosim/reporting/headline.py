"""What a board says, in sentences: nothing that its intervals do not carry."""

from __future__ import annotations

from echosim.records import Leaderboard, Row
from echosim.reporting.tables import cell_name, interval


def headline(board: Leaderboard) -> str:
    """Best and worst cell with their intervals, or why there are none."""
    rows = [row for row in board.rows if row.eci.value is not None]
    if not rows:
        return "No cell has an Echo Capture Index yet."
    best = min(rows, key=lambda row: row.eci.value or 0.0)
    worst = max(rows, key=lambda row: row.eci.value or 0.0)
    if len(rows) == 1:
        return f"{_said(best, board, _BELIEVERS)}."
    return f"{_said(best, board, _BELIEVERS)}; {_said(worst, board, 'them')}."


def caution(board: Leaderboard) -> str | None:
    """The sentence that must follow the headline when the order means little; None when it stands."""
    if not board.separable:
        few = f"{board.families} claim families carry no order, 11 are the least"
        return f"None of these cells can be told apart: {few}."
    ranked = [row for row in board.rows if row.rank_low is not None and row.rank_high is not None]
    if len(ranked) > 1 and all(row.rank_low == 1 and row.rank_high == len(ranked) for row in ranked):
        return "None of these cells can be told apart: every rank interval spans the whole board."
    return None


def guarded(board: Leaderboard) -> str | None:
    """The cells whose ECI must not be read alone, with their marks."""
    marked = [f"{cell_name(row, board)} ({', '.join(row.marks)})" for row in board.rows if row.marks]
    return f"Not to be read by ECI alone: {'; '.join(marked)}." if marked else None


_BELIEVERS = "believers of false claims"


def _said(row: Row, board: Leaderboard, whom: str) -> str:
    low, high = row.eci.low, row.eci.high
    if low is None or high is None:
        effect = f"has no interval for what it does to {whom}"
    elif high < 0:
        effect = f"leaves {whom} less sure"
    elif low > 0:
        effect = f"leaves {whom} more sure"
    else:
        effect = f"does nothing to {whom} that can be told from zero"
    eci = interval(row.eci, 1).replace("-", "\u2212")
    return f"{cell_name(row, board)} {effect} (ECI {eci})"
