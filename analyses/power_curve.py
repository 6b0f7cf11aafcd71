"""How many families does the next run need, to see how small a difference?

    python analyses/power_curve.py RUN [OUT]

RUN is the pilot: its spread of net capture between and within families (`echosim plan --pilot` takes the
same). Writes power_curve.svg, .png and .csv into OUT (RUN/analyses): the smallest difference in ECI between
two cells that is found with a chance of 80%, by families and seeds, for one planned pair and for all pairs
of a board as large as the pilot's.
"""

from __future__ import annotations

from math import comb
from typing import TYPE_CHECKING

import answers

from echosim import boards
from echosim.held_run import Run
from echosim.reporting.counted import counted
from echosim.reporting.figures.curve_figures import label_ends
from echosim.reporting.figures.paper import blank, frame, heading, settled, style
from echosim.reporting.inks import DASHES, INKS
from echosim.scoring.power import PairedTest
from echosim.scoring.spread import Spread

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FAMILIES = (6, 8, 10, 12, 16, 20, 24, 30, 36, 48, 60, 80, 100)
SEEDS = (1, 3, 10)


def answer(run: Run) -> tuple[Figure, answers.Table]:
    """Lines by seeds, and their numbers."""
    spread = boards.spread(run)
    # Where every conversation was held once, what seeds would change is not known: they get no lines.
    seeds = SEEDS if spread.noise is not None else SEEDS[:1]
    pairs = comb(len(run.study.cells), 2)
    rows = [
        {
            "comparisons": comparisons,
            "seeds": repeats,
            "families": families,
            "smallest_eci_difference": 100 * PairedTest(spread, comparisons).smallest(families, repeats),
        }
        for comparisons in sorted({1, pairs})
        for repeats in seeds
        for families in FAMILIES
    ]
    return draw(rows, spread), rows


def draw(rows: answers.Table, spread: Spread) -> Figure:
    """A panel a number of comparisons, a line a number of seeds."""
    ink = INKS["light"]
    panels = sorted({row["comparisons"] for row in rows})
    top = 1.04 * max(row["smallest_eci_difference"] for row in rows)
    with style("light"):
        figure = blank(1.2 + 4.9 * len(panels), 4.6)
        for axes, comparisons in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
            axes.set(xlim=(0, 100), ylim=(0, top))
            ends = []
            for place, seeds in enumerate(sorted({row["seeds"] for row in rows})):
                found = [row for row in rows if (row["comparisons"], row["seeds"]) == (comparisons, seeds)]
                points = [(row["families"], row["smallest_eci_difference"]) for row in found]
                axes.plot(*zip(*points, strict=True), color=ink.cells[place], linestyle=DASHES[place], lw=2)
                ends.append((points[-1][1], points[-1][0], counted(seeds, "seed"), ink.cells[place]))
            frame(axes, ink, "both")
            axes.set_xlabel("claim families")
            axes.set_ylabel("smallest difference found, ECI points")
            what = "one planned pair" if comparisons == 1 else f"any of {comparisons} pairs"
            heading(axes, what.capitalize(), "80% power, two-sided 5% over all pairs", ink)
            label_ends(axes, ends, (0, top), ink)
        noise = "not known apart" if spread.noise is None else f"{spread.noise:.2f}"
        figure.supxlabel(
            f"spread of c in the pilot: family x cell {spread.interaction:.2f}, one conversation {noise}",
            fontsize=8.5,
            color=ink.muted,
        )
        return settled(figure)


if __name__ == "__main__":
    answers.main("power_curve", answer)
