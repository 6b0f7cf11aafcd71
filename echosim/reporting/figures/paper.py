"""Paper, ink and bytes: what every figure shares, and the only file that imports matplotlib.

Same records, same bytes: fonts, hash salt and metadata are fixed, and no global state of matplotlib is
touched.
"""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from echosim.reporting.inks import INKS, Ink, Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

_TITLE: dict[str, Any] = {"fontsize": 12, "fontweight": "bold"}


def svg(figure: Figure) -> bytes:
    """The figure as SVG; the same bytes for the same records."""
    return _saved(figure, "svg", {"Date": None, "Creator": None})


def png(figure: Figure, dpi: int = 160) -> bytes:
    """The figure as PNG; the same bytes for the same records, matplotlib and machine type."""
    return _saved(figure, "png", {"Software": None}, dpi=dpi)


def _saved(figure: Figure, form: str, metadata: dict[str, None], dpi: float = 100) -> bytes:
    stream = io.BytesIO()
    with style("light"):
        figure.savefig(stream, format=form, dpi=dpi, metadata=metadata, facecolor=figure.get_facecolor())
    return stream.getvalue()


@contextmanager
def style(theme: Theme) -> Iterator[None]:
    """Fonts and colours of a theme, for as long as a figure is drawn or saved."""
    import matplotlib

    with matplotlib.rc_context(INKS[theme].settings()), warnings.catch_warnings():
        # A sign that the font lacks is drawn as a box; that stands in the figure for all to see.
        warnings.filterwarnings("ignore", message=r"Glyph \d+ .* missing from font")
        yield


def blank(width: float, height: float) -> Figure:
    """An empty figure, in inches, which pyplot never hears of."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    figure = Figure(figsize=(width, height), layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.1))
    FigureCanvasAgg(figure)
    return figure


def settled(figure: Figure) -> Figure:
    """Lay out once and keep it: every save of a figure then gives the same places."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    return figure


def frame(axes: Axes, ink: Ink, grid: Literal["x", "y", "both"]) -> None:
    """No box and no tick marks; pale grid lines behind everything."""
    axes.grid(True, axis=grid, color=ink.grid, linewidth=0.7, zorder=0)
    axes.set_axisbelow(True)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)


def heading(axes: Axes, title: str, subtitle: str, ink: Ink) -> None:
    """Title and, in small muted print below it, what is drawn."""
    axes.set_title(f"{title}\n", loc="left", color=ink.text, **_TITLE)
    axes.text(0, 1.02, subtitle, transform=axes.transAxes, fontsize=9, color=ink.muted)


def title_width(figure: Figure, title: str) -> float:
    """Share of the figure's width that a title takes in the print of `heading`."""
    probe = figure.text(0, 0, title, **_TITLE)
    width: float = probe.get_window_extent().width
    probe.remove()
    return width / float(figure.bbox.width)


def count_ticks(axes: Axes, first: int, last: int) -> None:
    """Whole numbers along the bottom, at most nine of them."""
    step = max(1, math.ceil((last - first) / 8))
    axes.set_xticks(range(first, last + 1, step))
    axes.set_xlim(first - 0.02 * max(1, last - first), max(last, first + 1))


def colours(count: int, ink: Ink) -> list[str]:
    """Colours of cells in order, over again where there are more cells than colours."""
    return [ink.cells[index % len(ink.cells)] for index in range(count)]


def diverging(ink: Ink) -> Colormap:
    """From the colour of correcting over the grid's to that of cementing; missing values as paper."""
    from matplotlib.colors import LinearSegmentedColormap

    stops = [ink.cells[0], ink.grid, ink.cells[1]]
    return LinearSegmentedColormap.from_list("diverging", stops).with_extremes(bad=ink.paper)


def on_top_of(colour: Sequence[float]) -> str:
    """Black or white, whichever reads better on it (relative luminance of WCAG 2)."""
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour[:3]]
    luminance = 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
    return "#000000" if luminance > 0.179 else "#ffffff"


def short(name: str) -> str:
    """A label of at most 28 characters."""
    return name if len(name) <= 28 else f"{name[:27]}\u2026"
