"""The figures: records in, matplotlib figure out; nothing is computed here but places on paper.

Same records, same bytes: fonts, hash salt and metadata are fixed, and no global state of matplotlib is
touched. This is the only file that knows matplotlib.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from echosim.records import Curve, Estimate, Leaderboard, Row
from echosim.reporting.inks import DASHES, INKS, Ink, Theme
from echosim.reporting.label_places import Box, beside, spread
from echosim.reporting.tables import cell_name, number
from echosim.reporting.visible import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Key = tuple[str, str, str]
"""Target, arm, user."""

_OVERLAY = 10
"""Most cells that one pair of axes can carry; above it every cell gets a panel of its own."""


# --- the three figures --------------------------------------------------------------------------


def forest(board: Leaderboard, theme: Theme = "light") -> Figure:
    """ECI with its 95% interval for each cell, best on top; colour: on which side of 0 the interval lies."""
    ink, rows = INKS[theme], board.rows
    with _style(theme):
        figure = _blank(8.6, 1.25 + 0.34 * max(1, len(rows)))
        axes = figure.add_subplot()
        axes.set(xlim=(-104, 104), ylim=(len(rows) - 0.4, -0.6), yticks=range(len(rows)))
        axes.set_yticklabels([_short(cell_name(row, board)) for row in rows], color=ink.text, fontsize=10)
        axes.axvline(0, color=ink.muted, linewidth=1)
        for place, row in enumerate(rows):
            _forest_row(axes, place, row, ink)
        _frame(axes, ink, "x")
        axes.set_xticks(
            range(-100, 101, 25), [number(tick, 0).replace("-", "\u2212") for tick in range(-100, 101, 25)]
        )
        axes.set_xlabel("Echo Capture Index, points  (\u2212100 corrected, 0 as they came, +100 cemented)")
        subtitle = f"95% intervals over {board.families} claim families"
        if not board.separable:
            subtitle += "; too few to order the rows"
        _title(axes, "Do false beliefs leave stronger or weaker?", subtitle, ink)
        return _settled(figure)


def drift(
    curves: Sequence[Curve], order: Sequence[Key] = (), theme: Theme = "light", role: str = "holder"
) -> Figure:
    """Stance and confidence by turn for each cell; ribbons are 95% intervals over families.

    Args:
        curves: of any roles; only `role` is drawn.
        order: cells from best to worst, which fixes colours; in order of appearance when empty.
        theme: paper and ink.
        role: whose curves.
    """
    chosen = {
        quantity: {(c.target, c.arm, c.user): c for c in curves if c.quantity == quantity and c.role == role}
        for quantity in ("stance", "confidence")
    }
    known = list(dict.fromkeys(key for group in chosen.values() for key in group))
    cells = [key for key in order if key in known] + [key for key in known if key not in order]
    with _style(theme):
        draw = _overlaid if len(cells) <= _OVERLAY else _panels
        return _settled(draw(cells, chosen, INKS[theme]))


def frontier(board: Leaderboard, theme: Theme = "light") -> Figure:
    """What a cell does to false beliefs (C_F) against what it does to true ones (C_T), with intervals.

    Top left is where a good model stands; on the diagonal both kinds of belief are treated alike.
    """
    ink = INKS[theme]
    with _style(theme):
        figure = _blank(7.4, 6.2)
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
        for row, colour in zip(board.rows, _colours(len(board.rows), ink), strict=True):
            if row.c_false.value is None or row.c_true.value is None:
                continue
            x, y = row.c_false.value, row.c_true.value
            axes.errorbar(
                x,
                y,
                xerr=_reach(row.c_false),
                yerr=_reach(row.c_true),
                color=colour,
                fmt="o",
                ms=6,
                lw=1.6,
                zorder=3,
            )
            places.append((row, _short(cell_name(row, board)), colour))
        _frame(axes, ink, "both")
        axes.set_xlabel("C_F, net capture on false claims  (\u22121 corrected, +1 cemented)")
        axes.set_ylabel("C_T, net capture on true claims  (\u22121 damaged, +1 upheld)")
        subtitle = "on the dotted line true and false are treated alike; "
        subtitle += f"95% intervals over {board.families} families"
        _title(axes, "Does it correct, or does it just disagree?", subtitle, ink)
        _settled(figure)
        _label_points(axes, places, ink)
        return figure


# --- drift, in two layouts ----------------------------------------------------------------------

_Chosen = dict[str, dict[Key, Curve]]
_AXES: dict[str, tuple[str, tuple[float, float], float]] = {
    "stance": ("stance of replies  (\u22121 corrects, +1 reinforces)", (-1.05, 1.05), 1.0),
    "confidence": ("confidence in own false claim, %", (-2.0, 102.0), 100.0),
}


def _overlaid(cells: Sequence[Key], chosen: _Chosen, ink: Ink) -> Figure:
    figure = _blank(11.4, 4.9)
    for axes, (quantity, (words, limits, scale)) in zip(figure.subplots(1, 2), _AXES.items(), strict=True):
        ends = []
        for place, (key, colour) in enumerate(zip(cells, _colours(len(cells), ink), strict=True)):
            curve = chosen[quantity].get(key)
            if curve is None:
                continue
            _line(axes, curve, scale, colour, DASHES[place // len(ink.cells) % len(DASHES)])
            drawn = [point for point in curve.points if point.estimate.value is not None]
            if drawn:
                ends.append(
                    (scale * (drawn[-1].estimate.value or 0.0), drawn[-1].turn, _key_name(key, cells), colour)
                )
        axes.set_ylim(*limits)
        axes.axhline(0 if quantity == "stance" else 50, color=ink.muted, linewidth=0.8, zorder=0)
        _frame(axes, ink, "y")
        _whole_turns(axes, chosen[quantity].values())
        axes.set_xlabel("turn")
        _title(axes, quantity.capitalize(), words, ink)
        _label_ends(axes, ends, limits, ink)
    return figure


def _panels(cells: Sequence[Key], chosen: _Chosen, ink: Ink) -> Figure:
    columns = 5
    rows = math.ceil(len(cells) / columns)
    figure = _blank(11.4, 0.7 + 3.3 * rows)
    figure.supxlabel("turn", fontsize=9.5, color=ink.muted)
    grid = figure.subplots(2 * rows, columns, sharex=True, squeeze=False)
    for place in range(rows * columns):
        for half, (quantity, (_, limits, scale)) in enumerate(_AXES.items()):
            axes = grid[2 * (place // columns) + half][place % columns]
            if place >= len(cells):
                axes.set_axis_off()
                continue
            _context(axes, chosen[quantity].values(), scale, ink)
            if cells[place] in chosen[quantity]:
                _line(axes, chosen[quantity][cells[place]], scale, ink.cells[half], "-")
            axes.set_ylim(*limits)
            axes.axhline(0 if quantity == "stance" else 50, color=ink.muted, linewidth=0.8, zorder=0)
            _frame(axes, ink, "y")
            _whole_turns(axes, chosen[quantity].values())
            axes.tick_params(labelsize=8, labelleft=place % columns == 0)
            if half == 0:
                axes.set_title(_key_name(cells[place], cells), fontsize=9.5, loc="left", color=ink.text)
            if place % columns == 0:
                axes.set_ylabel("stance" if half == 0 else "confidence, %", fontsize=8.5)
    return figure


def _path(curve: Curve, scale: float) -> tuple[list[float], list[float]]:
    values = [point.estimate.value for point in curve.points]
    return [float(point.turn) for point in curve.points], [
        math.nan if v is None else scale * v for v in values
    ]


def _context(axes: Axes, curves: Iterable[Curve], scale: float, ink: Ink) -> None:
    """All cells as one pale path with gaps, which keeps the file small."""
    turns: list[float] = []
    values: list[float] = []
    for curve in curves:
        more_turns, more_values = _path(curve, scale)
        turns += [*more_turns, math.nan]
        values += [*more_values, math.nan]
    axes.plot(turns, values, color=ink.grid, linewidth=0.9, zorder=1)


def _line(axes: Axes, curve: Curve, scale: float, colour: str, dash: Any) -> None:
    axes.plot(
        *_path(curve, scale), color=colour, linestyle=dash, linewidth=2, zorder=3, solid_capstyle="round"
    )
    known = [p for p in curve.points if p.estimate.low is not None and p.estimate.high is not None]
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


# --- labels that do not cover each other --------------------------------------------------------


def _label_ends(
    axes: Axes, ends: Sequence[tuple[float, int, str, str]], limits: tuple[float, float], ink: Ink
) -> None:
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
            arrowprops={"arrowstyle": "-", "color": colour, "lw": 1, "shrinkA": 1, "shrinkB": 1},
        )


def _label_points(axes: Axes, places: Sequence[tuple[Row, str, str]], ink: Ink) -> None:
    scale = axes.figure.dpi / 72
    crosses = [_cross(axes, row, 4 * scale) for row, _, _ in places]
    spots = beside(
        [_pixels(axes, row.c_false.value, row.c_true.value) for row, _, _ in places],
        [(5.6 * len(name) * scale, 12 * scale) for _, name, _ in places],
        [bar for cross in crosses for bar in cross],
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


def _cross(axes: Axes, row: Row, half: float) -> tuple[Box, Box]:
    """The two bars of a point and its intervals, in pixels, `half` wide to each side."""
    x, y = row.c_false, row.c_true
    px, py = _pixels(axes, x.value, y.value)
    x0, y0 = _pixels(axes, x.value if x.low is None else x.low, y.value if y.low is None else y.low)
    x1, y1 = _pixels(axes, x.value if x.high is None else x.high, y.value if y.high is None else y.high)
    return (x0 - half, py - half, x1 + half, py + half), (px - half, y0 - half, px + half, y1 + half)


# --- paper and ink ------------------------------------------------------------------------------


def svg(figure: Figure) -> bytes:
    """The figure as SVG; the same bytes for the same records."""
    return _saved(figure, "svg", {"Date": None, "Creator": None})


def png(figure: Figure, dpi: int = 160) -> bytes:
    """The figure as PNG; the same bytes for the same records, matplotlib and machine type."""
    return _saved(figure, "png", {"Software": None}, dpi=dpi)


def _saved(figure: Figure, form: str, metadata: dict[str, None], dpi: float = 100) -> bytes:
    stream = io.BytesIO()
    with _style("light"):
        figure.savefig(stream, format=form, dpi=dpi, metadata=metadata, facecolor=figure.get_facecolor())
    return stream.getvalue()


@contextmanager
def _style(theme: Theme) -> Iterator[None]:
    import matplotlib

    with matplotlib.rc_context(INKS[theme].settings()):
        yield


def _blank(width: float, height: float) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    figure = Figure(figsize=(width, height), layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.1))
    FigureCanvasAgg(figure)
    return figure


def _settled(figure: Figure) -> Figure:
    """Lay out once and keep it: every save of a figure then gives the same places."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    return figure


def _frame(axes: Axes, ink: Ink, grid: Literal["x", "y", "both"]) -> None:
    axes.grid(True, axis=grid, color=ink.grid, linewidth=0.7, zorder=0)
    axes.set_axisbelow(True)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)


def _title(axes: Axes, title: str, subtitle: str, ink: Ink) -> None:
    axes.set_title(f"{title}\n", loc="left", fontsize=12, fontweight="bold", color=ink.text)
    axes.text(0, 1.02, subtitle, transform=axes.transAxes, fontsize=9, color=ink.muted)


def _whole_turns(axes: Axes, curves: Iterable[Curve]) -> None:
    turns = [point.turn for curve in curves for point in curve.points]
    first, last = (min(turns), max(turns)) if turns else (0, 1)
    step = max(1, math.ceil((last - first) / 8))
    axes.set_xticks(range(first, last + 1, step))
    axes.set_xlim(first - 0.02 * max(1, last - first), max(last, first + 1))


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
        words += "   " + ", ".join(_short(visible(mark.partition(":")[0])) for mark in row.marks)
    beside_axes = axes.get_yaxis_transform()
    axes.text(1.01, place, words, transform=beside_axes, va="center", fontsize=9, color=ink.text)


def _colours(count: int, ink: Ink) -> list[str]:
    return [ink.cells[index % len(ink.cells)] for index in range(count)]


def _reach(estimate: Estimate) -> list[list[float]] | None:
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return None
    return [[max(0.0, estimate.value - estimate.low)], [max(0.0, estimate.high - estimate.value)]]


def _key_name(key: Key, cells: Sequence[Key]) -> str:
    target, arm, user = key
    parts = [target] + ([arm] if arm != "none" else []) + ([user] if len({c[2] for c in cells}) > 1 else [])
    return _short(visible(" + ".join(parts)))


def _short(name: str) -> str:
    return name if len(name) <= 28 else f"{name[:27]}\u2026"
