"""The figures of a leaderboard: its rows with intervals, and false against true claims."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from echosim.board_records import Leaderboard, Row
from echosim.records import Estimate
from echosim.reporting.counted import counted
from echosim.reporting.figures.paper import blank, colours, frame, heading, settled, short, style
from echosim.reporting.inks import DASHES, INKS, Ink, Theme
from echosim.reporting.label_places import Box, beside
from echosim.reporting.tables import cell_name, number
from echosim.reporting.visible import visible
from echosim.scoring.joint_region import outline

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def forest(board: Leaderboard, theme: Theme = "light") -> Figure:
    """ECI with its 95% interval for each cell, best on top; colour: on which side of 0 the interval lies."""
    ink, rows = INKS[theme], board.rows
    with style(theme):
        figure = blank(8.6, 1.25 + 0.34 * max(1, len(rows)))
        axes = figure.add_subplot()
        axes.set(xlim=(-104, 104), ylim=(len(rows) - 0.4, -0.6), yticks=range(len(rows)))
        axes.set_yticklabels([short(cell_name(row, board)) for row in rows], color=ink.text, fontsize=10)
        axes.axvline(0, color=ink.muted, linewidth=1)
        for place, row in enumerate(rows):
            _forest_row(axes, place, row, ink)
        frame(axes, ink, "x")
        axes.set_xticks(
            range(-100, 101, 25), [number(tick, 0).replace("-", "\u2212") for tick in range(-100, 101, 25)]
        )
        axes.set_xlabel("Echo Capture Index, points  (\u2212100 corrected, 0 as they came, +100 cemented)")
        subtitle = f"95% intervals over {counted(board.families, 'claim family', 'claim families')}"
        if not board.separable:
            subtitle += "; too few to order the rows"
        heading(axes, "Do false beliefs leave stronger or weaker?", subtitle, ink)
        return settled(figure)


def frontier(board: Leaderboard, theme: Theme = "light") -> Figure:
    """What a cell does to false beliefs (C_F) against what it does to true ones (C_T).

    Ellipses are joint 95% regions, cut off at -1 and +1; a cell of too few families has a cross of its two
    intervals. Top left is where a good model stands; on the diagonal both kinds of belief are treated alike.
    """
    ink = INKS[theme]
    with style(theme):
        figure = blank(7.4, 6.2)
        axes = figure.add_subplot()
        axes.set(xlim=(-1.12, 1.12), ylim=(-1.26, 1.26))
        axes.plot([-1, 1], [-1, 1], color=ink.muted, linewidth=1, linestyle=DASHES[2], zorder=1)
        axes.axhline(0, color=ink.grid, linewidth=1, zorder=0)
        axes.axvline(0, color=ink.grid, linewidth=1, zorder=0)
        for x, y, words, side in (
            (-1.1, 1.24, "corrects the false, upholds the true", "left"),
            (1.1, 1.24, "agrees with everything", "right"),
            (-1.1, -1.24, "contradicts everything", "left"),
            (1.1, -1.24, "cements the false, damages the true", "right"),
        ):
            axes.text(
                x,
                y,
                words,
                ha=side,
                va="top" if y > 0 else "bottom",
                color=ink.muted,
                fontsize=8.5,
                style="italic",
            )
        places = []
        for row, colour in zip(board.rows, colours(len(board.rows), ink), strict=True):
            if row.c_false.value is None or row.c_true.value is None:
                continue
            x, y = row.c_false.value, row.c_true.value
            edge = np.clip(outline(row.region), -1, 1)
            if len(edge):
                axes.fill(*edge.T, facecolor=colour, alpha=0.13, lw=0, zorder=2)
                axes.plot(*edge.T, color=colour, lw=1.1, zorder=2)
                axes.plot(x, y, "o", color=colour, ms=5, zorder=3)
            else:
                reach = _reach(row.c_false), _reach(row.c_true)
                axes.errorbar(
                    x, y, xerr=reach[0], yerr=reach[1], color=colour, fmt="o", ms=6, lw=1.6, zorder=3
                )
            places.append((row, short(cell_name(row, board)), colour))
        frame(axes, ink, "both")
        axes.set_xlabel("C_F, net capture on false claims  (\u22121 corrected, +1 cemented)")
        axes.set_ylabel("C_T, net capture on true claims  (\u22121 damaged, +1 upheld)")
        subtitle = "on the dotted line true and false are treated alike; "
        subtitle += f"joint 95% regions over {counted(board.families, 'family', 'families')}"
        heading(axes, "Does it correct, or does it just disagree?", subtitle, ink)
        settled(figure)
        _label_points(axes, places, ink)
        return figure


def _forest_row(axes: Axes, place: int, row: Row, ink: Ink) -> None:
    eci = row.eci
    if eci.value is None:
        axes.text(
            2, place, f"no ECI: {visible(eci.reason or 'no reason given')}", va="center", color=ink.muted
        )
        return
    colour = ink.muted
    if eci.low is not None and eci.high is not None:
        colour = ink.cells[0] if eci.high < 0 else ink.cells[1] if eci.low > 0 else ink.muted
        axes.plot([eci.low, eci.high], [place, place], color=colour, lw=3, solid_capstyle="round", zorder=2)
    axes.plot([eci.value], [place], "o", color=colour, ms=7, mec=ink.paper, mew=1.2, zorder=3)
    words = number(eci.value, 1).replace("-", "\u2212")
    if row.marks:
        words += "   " + ", ".join(short(visible(mark.partition(":")[0])) for mark in row.marks)
    beside_axes = axes.get_yaxis_transform()
    axes.text(1.01, place, words, transform=beside_axes, va="center", fontsize=9, color=ink.text)


def _reach(estimate: Estimate) -> list[list[float]] | None:
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return None
    return [[max(0.0, estimate.value - estimate.low)], [max(0.0, estimate.high - estimate.value)]]


# --- labels that do not cover each other --------------------------------------------------------


def _label_points(axes: Axes, places: Sequence[tuple[Row, str, str]], ink: Ink) -> None:
    scale = axes.figure.dpi / 72
    drawn = [_covered(axes, row, 4 * scale) for row, _, _ in places]
    spots = beside(
        [_pixels(axes, row.c_false.value, row.c_true.value) for row, _, _ in places],
        [(5.6 * len(name) * scale, 12 * scale) for _, name, _ in places],
        [box for boxes in drawn for box in boxes],
        axes.bbox.extents,
        scale,
    )
    for (row, name, colour), spot in zip(places, spots, strict=True):
        axes.annotate(
            name,
            xy=(row.c_false.value, row.c_true.value),
            xytext=(spot.x / scale, spot.y / scale),
            textcoords="offset points",
            ha=spot.side,
            va="center",
            fontsize=9,
            color=ink.text,
            zorder=4,
            arrowprops={"arrowstyle": "-", "color": colour, "lw": 0.8, "shrinkA": 0, "shrinkB": 4},
        )


def _pixels(axes: Axes, x: float | None, y: float | None) -> tuple[float, float]:
    across, down = axes.transData.transform((x or 0.0, y or 0.0))
    return float(across), float(down)


def _covered(axes: Axes, row: Row, half: float) -> list[Box]:
    """What a point and its region cover, in pixels: spots along the edge, or the two bars of a cross."""
    x, y = row.c_false, row.c_true
    px, py = _pixels(axes, x.value, y.value)
    edge = np.clip(outline(row.region, 33), -1, 1)
    if len(edge):
        spots = [(px, py), *(_pixels(axes, *point) for point in edge.tolist())]
        return [(sx - half, sy - half, sx + half, sy + half) for sx, sy in spots]
    x0, y0 = _pixels(axes, x.value if x.low is None else x.low, y.value if y.low is None else y.low)
    x1, y1 = _pixels(axes, x.value if x.high is None else x.high, y.value if y.high is None else y.high)
    return [(x0 - half, py - half, x1 + half, py + half), (px - half, y0 - half, px + half, y1 + half)]
