"""The figure of capture and correction as competing events: a panel a cell, both incidences by turn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from echosim.records import Estimate
from echosim.reporting.figures.curve_figures import Key, key_name
from echosim.reporting.figures.paper import blank, count_ticks, frame, settled, style
from echosim.reporting.inks import INKS, Ink, Theme
from echosim.reporting.tables import interval
from echosim.scoring.survival import Survival

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLUMNS = 5


def survival(
    found: Sequence[Survival], order: Sequence[Key] = (), theme: Theme = "light", role: str = "holder"
) -> Figure:
    """Share of conversations captured and corrected by turn, each the first event; ribbons are 95% intervals.

    Args:
        found: of any roles; only `role` is drawn.
        order: cells from best to worst; in order of appearance when empty.
        theme: paper and ink.
        role: whose conversations.
    """
    ink = INKS[theme]
    cells = {(one.target, one.arm, one.user): one for one in found if one.role == role}
    keys = [key for key in order if key in cells] + [key for key in cells if key not in order]
    rows, columns = max(1, math.ceil(len(keys) / _COLUMNS)), max(1, min(_COLUMNS, len(keys)))
    top = _top(list(cells.values()))
    with style(theme):
        figure = blank(max(4.4, 0.6 + 2.16 * columns), 1.5 + 2.2 * rows)
        figure.supxlabel("turn", fontsize=9.5, color=ink.muted)
        figure.supylabel("conversations, %", fontsize=9.5, color=ink.muted)
        grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        for place, axes in enumerate(grid.flat):
            if place >= len(keys):
                axes.set_axis_off()
                continue
            _panel(axes, cells[keys[place]], key_name(keys[place], keys), top, ink)
        marks = [grid[0][0].plot([], [], color=ink.cells[i], lw=2.4, ls=_LINES[i])[0] for i in (1, 0)]
        figure.legend(
            marks, ["captured first", "corrected first"], loc="outside upper left", ncols=2, frameon=False
        )
        return settled(figure)


_LINES = ("--", "-")
"""Of correction and of capture: colour is not all that tells them apart."""


_TAIL = 0.6
"""Turns that a line goes on after the last, so that its step there is seen."""


def _top(found: Sequence[Survival]) -> float:
    """Upper end of the axis, percent: what the widest interval reaches, in fifths, at least one."""
    ends = [end for one in found for point in one.points for end in (point.capture, point.correction)]
    most = max((100 * ((end.value if end.high is None else end.high) or 0.0) for end in ends), default=0.0)
    return 20.0 * max(1, math.ceil(most / 20))


def _panel(axes: Axes, one: Survival, name: str, top: float, ink: Ink) -> None:
    for place, estimates in enumerate(
        ([point.correction for point in one.points], [point.capture for point in one.points])
    ):
        _steps(axes, [point.turn for point in one.points], estimates, ink.cells[place], _LINES[place])
    axes.set_ylim(-0.03 * top, 1.03 * top)
    frame(axes, ink, "y")
    count_ticks(axes, 0, one.horizon)
    axes.set_xlim(0, one.horizon + _TAIL)
    axes.tick_params(labelsize=8)
    axes.set_title(f"{name}\n", fontsize=9.5, loc="left", color=ink.text)
    free = interval(one.capture_free, 1).replace("+", "").replace(" [-]", "")
    axes.text(
        0,
        1.03,
        f"{free} of {one.horizon} turns free",
        transform=axes.transAxes,
        fontsize=7.5,
        color=ink.muted,
    )


def _steps(axes: Axes, turns: Sequence[int], shares: Sequence[Estimate], colour: str, dash: str) -> None:
    """From 0 at the start, a step at the end of each turn; no ribbon where there is no interval."""
    values = [100 * (share.value or 0.0) for share in shares]
    ends = [0, *turns, turns[-1] + _TAIL]
    axes.step(ends, [0.0, *values, values[-1]], where="post", color=colour, linestyle=dash, lw=2, zorder=3)
    known = [(t, s) for t, s in zip(turns, shares, strict=True) if s.low is not None and s.high is not None]
    if known:
        axes.fill_between(
            [*(turn for turn, _ in known), turns[-1] + _TAIL],
            [100 * (share.low or 0.0) for _, share in [*known, known[-1]]],
            [100 * (share.high or 0.0) for _, share in [*known, known[-1]]],
            step="post",
            color=colour,
            alpha=0.16,
            linewidth=0,
            zorder=2,
        )
