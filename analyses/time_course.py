"""When in a conversation does a belief move?

    python analyses/time_course.py RUN [OUT]

Stance of the replies and confidence of believers of false claims, turn by turn, with 95% intervals over
families. Writes time_course.svg, .png and .csv into OUT (RUN/analyses): a row a cell and turn, with the share
of the whole change of confidence that has happened by then, where confidence changed by a point or more.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import answers

from echosim import boards
from echosim.held_run import Run
from echosim.records import Curve
from echosim.reporting import figures

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LEAST = 0.01
"""Change of confidence under which its shares say nothing."""


def answer(run: Run) -> tuple[Figure, answers.Table]:
    """Drift curves and their numbers."""
    curves = [curve for curve in boards.curves(run) if curve.role == "holder"]
    if not curves:
        raise answers.nothing(run, "no conversation of a believer of a false claim has ended")
    order = [(row.target, row.arm, row.user) for row in boards.leaderboard(run).rows]
    by_cell = {(c.target, c.arm, c.user, c.quantity): c for c in curves}
    rows = [row for cell in order if (*cell, "confidence") in by_cell for row in _rows(cell, by_cell)]
    return figures.drift(curves, order), rows


def _rows(cell: tuple[str, str, str], curves: dict[tuple[str, ...], Curve]) -> Iterator[dict[str, Any]]:
    stance = (
        {p.turn: p.estimate for p in curves[*cell, "stance"].points} if (*cell, "stance") in curves else {}
    )
    points = curves[*cell, "confidence"].points
    first, last = points[0].estimate.value, points[-1].estimate.value
    whole = None if first is None or last is None else last - first
    for point in points:
        said = stance.get(point.turn)
        now = point.estimate.value
        known = whole is not None and abs(whole) >= LEAST and now is not None and first is not None
        yield {
            "target": cell[0],
            "arm": cell[1],
            "user": cell[2],
            "turn": point.turn,
            "stance": said and said.value,
            "stance_low": said and said.low,
            "stance_high": said and said.high,
            **answers.columns("confidence", point.estimate),
            "share_of_change": (now - first) / whole if known else None,  # type: ignore[operator]
        }


if __name__ == "__main__":
    answers.main("time_course", answer)
