"""The figure of drift: stance and confidence by turn, cell by cell, in one of two layouts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from echosim.records import Curve, CurvePoint
from echosim.reporting.figures.paper import blank, colours, count_ticks, frame, heading, settled, short, style
from echosim.reporting.inks import DASHES, INKS, Ink, Theme
from echosim.reporting.label_places import spread
from echosim.reporting.visible import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Key = tuple[str, str, str]
"""Target, arm, user."""
Step = Literal["turn", "session"]

_OVERLAY = 10
"""Most cells that one pair of axes can carry; above it every cell gets a panel of its own."""


def drift(
    curves: Sequence[Curve],
    order: Sequence[Key] = (),
    theme: Theme = "light",
    role: str = "holder",
    step: Step = "turn",
) -> Figure:
    """Stance and confidence by turn or session for each cell; ribbons are 95% intervals over families.

    Args:
        curves: of any roles; only `role` is drawn.
        order: cells from best to worst, which fixes colours; in order of appearance when empty.
        theme: paper and ink.
        role: whose curves.
        step: what the points of the curves count.
    """
    chosen = {
        quantity: {(c.target, c.arm, c.user): c for c in curves if c.quantity == quantity and c.role == role}
        for quantity in ("stance", "confidence")
    }
    known = list(dict.fromkeys(key for group in chosen.values() for key in group))
    cells = [key for key in order if key in known] + [key for key in known if key not in order]
    with style(theme):
        draw = _overlaid if len(cells) <= _OVERLAY else _panels
        return settled(draw(cells, chosen, INKS[theme], step))


_Chosen = dict[str, dict[Key, Curve]]
_AXES: dict[str, tuple[str, tuple[float, float], float]] = {
    "stance": ("stance of replies  (\u22121 corrects, +1 reinforces)", (-1.05, 1.05), 1.0),
    "confidence": ("confidence in own false claim, %", (-2.0, 102.0), 100.0),
}
_OF_SESSIONS = {
    "stance": "mean over a session's replies  (\u22121 corrects, +1 reinforces)",
    "confidence": "confidence in own false claim when a session ends, %",
}
"""Words of a quantity where the points are sessions."""


def _overlaid(cells: Sequence[Key], chosen: _Chosen, ink: Ink, step: Step) -> Figure:
    figure = blank(11.4, 4.9)
    for axes, (quantity, (words, limits, scale)) in zip(figure.subplots(1, 2), _AXES.items(), strict=True):
        ends = []
        for place, (key, colour) in enumerate(zip(cells, colours(len(cells), ink), strict=True)):
            curve = chosen[quantity].get(key)
            if curve is None:
                continue
            line(axes, curve.points, scale, colour, DASHES[place // len(ink.cells) % len(DASHES)])
            drawn = [point for point in curve.points if point.estimate.value is not None]
            if drawn:
                ends.append(
                    (scale * (drawn[-1].estimate.value or 0.0), drawn[-1].turn, key_name(key, cells), colour)
                )
        axes.set_ylim(*limits)
        axes.axhline(0 if quantity == "stance" else 50, color=ink.muted, linewidth=0.8, zorder=0)
        frame(axes, ink, "y")
        _whole_turns(axes, chosen[quantity].values())
        axes.set_xlabel(step)
        heading(axes, quantity.capitalize(), words if step == "turn" else _OF_SESSIONS[quantity], ink)
        label_ends(axes, ends, limits, ink)
    return figure


def _panels(cells: Sequence[Key], chosen: _Chosen, ink: Ink, step: Step) -> Figure:
    columns = 5
    rows = math.ceil(len(cells) / columns)
    figure = blank(11.4, 0.7 + 3.3 * rows)
    figure.supxlabel(step, fontsize=9.5, color=ink.muted)
    grid = figure.subplots(2 * rows, columns, sharex=True, squeeze=False)
    for place in range(rows * columns):
        for half, (quantity, (_, limits, scale)) in enumerate(_AXES.items()):
            axes = grid[2 * (place // columns) + half][place % columns]
            if place >= len(cells):
                axes.set_axis_off()
                continue
            _context(axes, chosen[quantity].values(), scale, ink)
            if cells[place] in chosen[quantity]:
                line(axes, chosen[quantity][cells[place]].points, scale, ink.cells[half])
            axes.set_ylim(*limits)
            axes.axhline(0 if quantity == "stance" else 50, color=ink.muted, linewidth=0.8, zorder=0)
            frame(axes, ink, "y")
            _whole_turns(axes, chosen[quantity].values())
            axes.tick_params(labelsize=8, labelleft=place % columns == 0)
            if half == 0:
                axes.set_title(key_name(cells[place], cells), fontsize=9.5, loc="left", color=ink.text)
            if place % columns == 0:
                axes.set_ylabel("stance" if half == 0 else "confidence, %", fontsize=8.5)
    return figure


def line(axes: Axes, points: Sequence[CurvePoint], scale: float, colour: str, dash: Any = "-") -> None:
    """One path with its ribbon; gaps where there is no value, no ribbon where there is no interval."""
    axes.plot(
        *_path(points, scale), color=colour, linestyle=dash, linewidth=2, zorder=3, solid_capstyle="round"
    )
    known = [p for p in points if p.estimate.low is not None and p.estimate.high is not None]
    if known:
        axes.fill_between(
            [point.turn for point in known],
            [scale * (point.estimate.low or 0.0) for point in known],
            [scale * (point.estimate.high or 0.0) for point in known],
            color=colour,
            alpha=0.15,
            linewidth=0,
            zorder=2,
        )


def _path(points: Sequence[CurvePoint], scale: float) -> tuple[list[float], list[float]]:
    values = [point.estimate.value for point in points]
    return [float(point.turn) for point in points], [math.nan if v is None else scale * v for v in values]


def _context(axes: Axes, curves: Iterable[Curve], scale: float, ink: Ink) -> None:
    """All cells as one pale path with gaps, which keeps the file small."""
    turns: list[float] = []
    values: list[float] = []
    for curve in curves:
        more_turns, more_values = _path(curve.points, scale)
        turns += [*more_turns, math.nan]
        values += [*more_values, math.nan]
    axes.plot(turns, values, color=ink.grid, linewidth=0.9, zorder=1)


def label_ends(
    axes: Axes,
    ends: Sequence[tuple[float, int, str, str]],
    limits: tuple[float, float],
    ink: Ink,
    dash: Any = "-",
) -> None:
    """Names right of the axes, each tied to the end of its line: (value, turn, name, colour)."""
    height = limits[1] - limits[0]
    places = spread(
        [end[0] for end in ends], 0.056 * height, limits[0] + 0.02 * height, limits[1] - 0.02 * height
    )
    edge = axes.get_xlim()[1]
    for (value, turn, name, colour), place in zip(ends, places, strict=True):
        axes.annotate(
            name,
            xy=(turn, value),
            xytext=(edge + 0.055 * (edge - axes.get_xlim()[0]), place),
            va="center",
            fontsize=9,
            color=ink.text,
            annotation_clip=False,
            # To the left edge of the name: a line to its middle would cross its neighbours.
            arrowprops={
                "arrowstyle": "-",
                "color": colour,
                "lw": 1,
                "linestyle": dash,
                "shrinkA": 1,
                "shrinkB": 1,
                "relpos": (0, 0.5),
            },
        )


def _whole_turns(axes: Axes, curves: Iterable[Curve]) -> None:
    turns = [point.turn for curve in curves for point in curve.points]
    count_ticks(axes, *((min(turns), max(turns)) if turns else (0, 1)))


def key_name(key: Key, cells: Sequence[Key]) -> str:
    """A cell as figures name it: its arm where it has one, its user where there are several."""
    target, arm, user = key
    parts = [target] + ([arm] if arm != "none" else []) + ([user] if len({c[2] for c in cells}) > 1 else [])
    return short(visible(" + ".join(parts)))
