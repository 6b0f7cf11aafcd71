"""What stands below a board for those who ask how it was made: pairs, severity weights, where spread is from.

Records in, plain words and numbers for the templates out.
"""

from __future__ import annotations

from typing import Any

from echosim.board_records import EngineVariance, Leaderboard, Pair, Part, Row, Source
from echosim.records import Estimate
from echosim.reporting.page_data import plain, typographic
from echosim.reporting.tables import called, cell_name, interval

_SOURCES: tuple[Source, ...] = ("family", "seed", "target", "residual")
"""Parts that a board of one user engine can have."""
_GROUPS = {"holder": "holders of false claims", "control": "controls"}


def details(board: Leaderboard) -> dict[str, Any]:
    """Everything that the section shows."""
    several = len({row.user for row in board.rows}) > 1
    return {
        "weights": [_weights(row, board) for row in board.rows],
        "pairs": [_pair(pair, board) for pair in board.pairs],
        "variances": [_variance(one, several) for one in board.variances],
    }


def _weights(row: Row, board: Leaderboard) -> dict[str, Any]:
    numbers = [
        (row.eci, row.eci_unweighted, 1),
        (row.c_false, row.c_false_unweighted, 2),
        (row.c_true, row.c_true_unweighted, 2),
    ]
    return {
        "name": cell_name(row, board),
        "numbers": [_whole(one, digits) for *two, digits in numbers for one in two],
    }


def _pair(pair: Pair, board: Leaderboard) -> dict[str, Any]:
    return {
        "first": called(pair.first, pair.user, board),
        "second": called(pair.second, pair.user, board),
        "difference": _whole(pair.difference, 1),
        "families": pair.difference.n,
        "chances": [_chance(p) for p in (pair.p, pair.p_holm, pair.p_board)],
        "apart": pair.told_apart,
    }


def _whole(estimate: Estimate, digits: int) -> str:
    """Value and interval, which may come under its value but is never torn apart."""
    return typographic(interval(estimate, digits)).replace(", ", ",\u00a0")


def _chance(p: float | None) -> str:
    """Three digits; what rounds to nothing is written as less than the last of them."""
    return "<0.001" if p is not None and p < 0.0005 else plain(p, 3)


def _variance(one: EngineVariance, several: bool) -> dict[str, Any]:
    found = one.variance
    by_source = {part.source: part for part in found.parts} if found else {}
    return {
        "name": _GROUPS[one.role] + (f", user {one.user}" if several else ""),
        "parts": [_part(by_source.get(source)) for source in _SOURCES],
        "sd": "\u2013" if found is None else plain(sum(part.variance or 0.0 for part in found.parts) ** 0.5),
        "from": f"{found.families} \u00d7 {found.seeds}" if found else "\u2013",
        "words": "; ".join(_words(one)),
    }


def _part(part: Part | None) -> str:
    if part is None or part.share is None:
        return "\u2013"
    return f"{100 * part.share:.0f}%"


def _words(one: EngineVariance) -> list[str]:
    if one.variance is None:
        return [one.reason or "no reason given"]
    shown = [part for part in one.variance.parts if part.source in _SOURCES]
    said = [part.reason for part in shown if part.reason]
    said += [f"{part.source}: estimated below 0 and called 0" for part in shown if part.negative]
    if one.variance.left_out:
        said.append(f"{one.variance.left_out} conversations without a counterpart in every cell left out")
    return list(dict.fromkeys(said))
