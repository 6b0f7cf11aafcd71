"""Paper and ink of the figures.

Colours are those of Okabe and Ito (2008, "Color Universal Design"), which stay apart in the common forms of
colour blindness: without the yellow on white paper, with the lighter blue and orange first on dark.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Theme = Literal["light", "dark"]

DASHES: tuple[Any, ...] = ("-", (0, (5, 1.6)), (0, (1.4, 1.4)), (0, (6, 1.6, 1.4, 1.6)))
"""Line styles, for when the colours are used up."""


@dataclass(frozen=True, slots=True)
class Ink:
    """Colours of one theme, as #rrggbb."""

    paper: str
    text: str
    muted: str
    grid: str
    cells: tuple[str, ...]
    """Colours of cells in order; the first is that of correcting, the second that of cementing."""

    def settings(self) -> dict[Any, Any]:
        """Runtime settings of matplotlib; fonts come with it, so that every machine has them."""
        return {
            "font.family": ["DejaVu Sans"],
            "font.size": 9.5,
            "text.color": self.text,
            "text.parse_math": False,
            "axes.labelcolor": self.muted,
            "axes.facecolor": self.paper,
            "figure.facecolor": self.paper,
            "axes.unicode_minus": True,
            "xtick.color": self.muted,
            "ytick.color": self.muted,
            "svg.fonttype": "path",
            "svg.hashsalt": "echosim",
            "path.simplify": False,
        }


INKS: dict[Theme, Ink] = {
    "light": Ink(
        "#ffffff",
        "#1b1f24",
        "#656d76",
        "#e3e6ea",
        ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#1b1f24"),
    ),
    "dark": Ink(
        "#1a1f26",
        "#e6e9ee",
        "#9aa4b0",
        "#39414c",
        ("#56B4E9", "#E69F00", "#009E73", "#CC79A7", "#F0E442", "#D55E00", "#e6e9ee"),
    ),
}
