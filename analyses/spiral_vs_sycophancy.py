"""How often does an ideal Bayesian come to believe a false claim, by how sycophantic the bot is?

    python analyses/spiral_vs_sycophancy.py

Redraws the figure of Chandra, Kleiman-Weiner, Ragan-Kelley & Tenenbaum (2026, arXiv:2602.19141) with
`echosim.belief.ideal_observer`: 10,000 runs of 100 rounds a point, theta .6, even prior. Takes nothing,
prints a table, writes figures/spiral_vs_sycophancy.png and .svg (about a minute).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from echosim.belief.ideal_observer import spiral_shares
from echosim.reporting.figures.paper import blank, frame, heading, png, settled, style, svg
from echosim.reporting.inks import DASHES, INKS, Ink
from echosim.reporting.label_places import spread
from echosim.reporting.measurement import wilson

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FIGURES = Path(__file__).parent / "figures"
RATES = tuple(i / 10 for i in range(11))
"""pi: share of rounds in which the bot is sycophantic."""
RUNS = 10_000
BOTS = {"invents": False, "chooses": True}
"""Name to whether it is factual."""
USERS: dict[str, bool | tuple[float, ...]] = {
    "naive": False,
    "knows \u03c0": True,
    "warned": tuple(i / 20 for i in range(21)),
}
"""Name to what `simulate` calls informed; who is warned holds 21 rates equally likely at first."""
BOUND = 1 / 99
"""Ville's: most that a user whose rate is right may reach."""
BOUND_SAYS = "1 in 99: most for who knows \u03c0"
NOTE = (
    "naive: takes every datum as random.  warned: knows that it happens, not how often.  "
    f"Ribbons: 95% Wilson intervals, {RUNS:,} runs a point.  Hollow: no run."
)
LOWEST = 5e-5
"""Lower end of the axis, under one run in 10,000."""


@dataclass(frozen=True, slots=True)
class Point:
    """One share with its 95% Wilson interval."""

    pi: float
    share: float
    low: float
    high: float


Courses = dict[tuple[str, str], list[Point]]
"""(bot, user) to its points, by pi."""


def measure() -> Courses:
    """Every bot with every user. All meet the same draws, so a difference is not between two samples."""
    return {
        (bot, user): [_point(pi, spiral_shares(pi, RUNS, factual=factual, informed=informed)) for pi in RATES]
        for bot, factual in BOTS.items()
        for user, informed in USERS.items()
    }


def _point(pi: float, share: float) -> Point:
    return Point(pi, share, *wilson(share, RUNS))


def table(courses: Courses) -> str:
    """Shares in percent with their intervals, one row a bot and user."""
    rows = [["bot", "user", *(f"{pi:.1f}" for pi in RATES)]]
    for (bot, user), points in courses.items():
        cells = (f"{100 * p.share:.2f} [{100 * p.low:.2f}, {100 * p.high:.2f}]" for p in points)
        rows.append([bot, user, *cells])
    return "\n".join(f"| {' | '.join(row)} |" for row in [rows[0], ["---"] * len(rows[0]), *rows[1:]])


def draw(courses: Courses) -> Figure:
    """A panel a bot, a line a user, on one logarithmic scale; ribbons are the intervals."""
    ink = INKS["light"]
    titles = {
        "invents": ("A bot that invents", "agrees at any cost, with made-up data if need be"),
        "chooses": ("A bot that only chooses", "says true things alone, and picks which"),
    }
    with style("light"):
        figure = blank(11.4, 4.9)
        for axes, bot in zip(figure.subplots(1, 2, sharey=True), BOTS, strict=True):
            axes.set_yscale("log")
            axes.set(xlim=(-0.03, 1.03), ylim=(LOWEST, 1))
            ends = [_line(axes, courses[bot, user], place, ink) for place, user in enumerate(USERS)]
            axes.axhline(BOUND, color=ink.muted, linewidth=0.9, zorder=1)
            frame(axes, ink, "y")
            axes.set_xticks((0, 0.2, 0.4, 0.6, 0.8, 1))
            axes.set_yticks((1e-4, 1e-3, 1e-2, 1e-1, 1), ("0.01%", "0.1%", "1%", "10%", "100%"))
            axes.minorticks_off()
            axes.set_xlabel("\u03c0: share of rounds in which the bot is sycophantic")
            heading(axes, *titles[bot], ink)
            _names(axes, ends, ink)
        figure.axes[0].set_ylabel("runs that ever pass 99% belief in the false claim")
        figure.axes[0].text(1, 1.1 * BOUND, BOUND_SAYS, ha="right", fontsize=8, color=ink.muted)
        figure.supxlabel(NOTE, fontsize=8.5, color=ink.muted)
        return settled(figure)


def _line(axes: Axes, points: Sequence[Point], place: int, ink: Ink) -> tuple[float, float]:
    """One user, and where its line ends; a hollow mark where no run spiralled, at the end of the interval."""
    colour, mark = ink.cells[(1, 0, 2)[place]], "os^"[place]
    some = [p for p in points if p.share > 0]
    none = [p for p in points if p.share == 0]
    axes.plot(
        [p.pi for p in some],
        [p.share for p in some],
        color=colour,
        linestyle=DASHES[place],
        linewidth=2,
        zorder=3,
    )
    axes.plot(
        [p.pi for p in some], [p.share for p in some], mark, color=colour, ms=6, mec=ink.paper, zorder=4
    )
    axes.fill_between(
        [p.pi for p in points],
        [max(p.low, LOWEST) for p in points],
        [p.high for p in points],
        color=colour,
        alpha=0.15,
        linewidth=0,
        zorder=2,
    )
    axes.plot([p.pi for p in none], [p.high for p in none], mark, color=colour, ms=6, mfc=ink.paper, zorder=4)
    last = points[-1]
    return last.pi, last.share or last.high


def _names(axes: Axes, ends: Sequence[tuple[float, float]], ink: Ink) -> None:
    low, high = math.log10(LOWEST), 0.0
    places = spread([math.log10(y) for _, y in ends], 0.06 * (high - low), low, high)
    for (x, y), place, user, cell in zip(ends, places, USERS, (1, 0, 2), strict=True):
        axes.annotate(
            user,
            xy=(x, y),
            xytext=(1.08, 10**place),
            va="center",
            fontsize=9,
            color=ink.text,
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": ink.cells[cell],
                "lw": 1,
                "shrinkA": 1,
                "shrinkB": 4,
                "relpos": (0, 0.5),
            },
        )


def main() -> None:
    """Measure, print, draw."""
    courses = measure()
    print(table(courses))
    figure = draw(courses)
    FIGURES.mkdir(exist_ok=True)
    (FIGURES / "spiral_vs_sycophancy.png").write_bytes(png(figure))
    (FIGURES / "spiral_vs_sycophancy.svg").write_bytes(svg(figure))


if __name__ == "__main__":
    main()
