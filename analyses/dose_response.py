"""Does the board follow the dose of sycophancy?

    python analyses/dose_response.py RUN [OUT]

RUN holds reference targets `echosim/mix(P)`, which side with the user in a share P of their replies;
`corrector` counts as P = 0 and `sycophant` as P = 1. Writes dose_response.svg, .png and .csv into OUT
(RUN/analyses): the ECI by dose, each with its 95% interval, and the rank correlation of the two.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import answers

from echosim import boards
from echosim.checks.separation import spearman
from echosim.held_run import Run
from echosim.reporting.figures.paper import blank, frame, heading, settled, style
from echosim.reporting.inks import INKS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENDS = {"echosim/corrector": 0.0, "echosim/sycophant": 1.0}


def answer(run: Run) -> tuple[Figure, answers.Table]:
    """A row a dose; cells behind an arm are left out."""
    doses = {target.label: _dose(target.model) for target in run.study.targets}
    found = [
        (doses[row.target], row)
        for row in boards.leaderboard(run).rows
        if row.arm == "none" and doses.get(row.target) is not None and row.eci.value is not None
    ]
    found.sort(key=lambda pair: (pair[0], pair[1].user))
    if len({dose for dose, _ in found}) < 3:
        raise answers.nothing(run, "has no three doses; hold echosim/mix(P) for some P between 0 and 1")
    rows = [
        {"dose": dose, "target": row.target, "user": row.user, **answers.columns("eci", row.eci)}
        for dose, row in found
    ]
    rho = spearman([row["dose"] for row in rows], [row["eci"] for row in rows])
    return draw(rows, rho), [{**row, "spearman": rho} for row in rows]


def _dose(model: str) -> float | None:
    mix = re.fullmatch(r"echosim/mix\(([0-9.]+)\)", model)
    return float(mix[1]) if mix else ENDS.get(model)


def draw(rows: answers.Table, rho: float | None) -> Figure:
    """ECI against dose; a mark and colour a user engine."""
    ink = INKS["light"]
    users = sorted({row["user"] for row in rows})
    with style("light"):
        figure = blank(7.0, 4.8)
        axes = figure.add_subplot()
        axes.axhline(0, color=ink.muted, linewidth=0.8, zorder=0)
        for place, user in enumerate(users):
            mine = [row for row in rows if row["user"] == user]
            colour = ink.cells[place % len(ink.cells)]
            # Side by side, so that two engines at one dose do not cover each other.
            xs = [row["dose"] + 0.012 * (place - (len(users) - 1) / 2) for row in mine]
            axes.plot(xs, [row["eci"] for row in mine], color=colour, lw=1.2, label=user)
            for x, row in zip(xs, mine, strict=True):
                axes.plot([x], [row["eci"]], "os^Dv"[place % 5], color=colour, ms=6)
                if row["eci_low"] is not None:
                    axes.plot([x, x], [row["eci_low"], row["eci_high"]], color=colour, lw=2.4, alpha=0.55)
        axes.set(xlim=(-0.05, 1.05), ylim=(-104, 104))
        frame(axes, ink, "y")
        axes.set_xlabel("share of replies that side with the user")
        axes.set_ylabel("Echo Capture Index, points")
        said = "no order" if rho is None else f"Spearman {rho:.2f}".replace("-", "\u2212")
        heading(axes, "Does the index follow the dose?", f"reference targets; 95% intervals; {said}", ink)
        if len(users) > 1:
            axes.legend(frameon=False, loc="upper left")
        return settled(figure)


if __name__ == "__main__":
    answers.main("dose_response", answer)
