"""The figure of families against cells: where a cell's number comes from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean
from typing import TYPE_CHECKING

import numpy as np

from echosim.reporting.family_map import CellKey, FamilyMean
from echosim.reporting.figures.paper import blank, diverging, frame, heading, on_top_of, settled, short, style
from echosim.reporting.inks import INKS, Theme
from echosim.reporting.tables import number
from echosim.reporting.visible import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import QuadMesh
    from matplotlib.figure import Figure

_WRITTEN = 14
"""Most columns with room for numbers."""


def heat_map(
    means: Sequence[FamilyMean],
    order: Sequence[CellKey],
    names: Sequence[str],
    theme: Theme = "light",
) -> Figure:
    """Net capture c of every family in every cell; families from the most captured to the least.

    Args:
        means: of any cells; those that are not in `order` are left out.
        order: cells from best to worst, as columns from the left.
        names: of these cells.
        theme: paper and ink.
    """
    ink = INKS[theme]
    found = {(mean.family, mean.cell): mean.value for mean in means if mean.cell in set(order)}
    families = sorted(
        {family for family, _ in found},
        key=lambda family: (-fmean(v for (f, _), v in found.items() if f == family), family),
    )
    with style(theme):
        figure = blank(max(7.4, 3.4 + 0.62 * len(order)), 2.3 + 0.27 * max(1, len(families)))
        axes = figure.add_subplot()
        grid = [[found.get((family, cell), math.nan) for cell in order] for family in families]
        if families:
            mesh = axes.pcolormesh(
                grid, cmap=diverging(ink), vmin=-1, vmax=1, edgecolors=ink.paper, linewidth=1.5
            )
            axes.set(xlim=(0, len(order)), ylim=(len(families), 0))
            bar = figure.colorbar(
                mesh, ax=axes, shrink=min(1.0, 4 / len(families) + 0.25), aspect=18, pad=0.02
            )
            bar.outline.set_visible(False)
            bar.ax.tick_params(length=0, labelsize=8.5)
            bar.set_ticks([-1, -0.5, 0, 0.5, 1], labels=["\u22121", "\u2212.5", "0", "+.5", "+1"])
            bar.set_label("net capture c  (\u22121 corrected, +1 cemented)", fontsize=8.5, color=ink.muted)
        if families and len(order) <= _WRITTEN:
            _write(axes, mesh, grid)
        axes.set_xticks([i + 0.5 for i in range(len(order))])
        axes.set_xticklabels(
            [short(visible(name)) for name in names], rotation=35, ha="right", rotation_mode="anchor"
        )
        axes.set_yticks([i + 0.5 for i in range(len(families))])
        axes.set_yticklabels([short(visible(family)) for family in families])
        frame(axes, ink, "x")
        axes.grid(False)
        heading(
            axes,
            "Which claims carry a number?",
            "believers of false claims; families from most captured to least, cells from best to worst",
            ink,
        )
        return settled(figure)


def _write(axes: Axes, mesh: QuadMesh, grid: Sequence[Sequence[float]]) -> None:
    faces = mesh.to_rgba(np.asarray(grid, dtype=float))
    for row, values in enumerate(grid):
        for column, value in enumerate(values):
            missing = math.isnan(value)
            words = "\u2013" if missing else number(value).replace("-", "\u2212").replace("0.", ".")
            colour = axes.xaxis.label.get_color() if missing else on_top_of(faces[row, column].tolist())
            axes.text(column + 0.5, row + 0.5, words, ha="center", va="center", fontsize=7.5, color=colour)
