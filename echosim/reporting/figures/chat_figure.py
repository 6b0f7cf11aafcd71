"""The figure of existing chats: stance by reply, each chat a thin line, their mean with its interval."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from echosim.records import CurvePoint
from echosim.reporting.figures.curve_figures import label_ends, line
from echosim.reporting.figures.paper import (
    blank,
    count_ticks,
    frame,
    heading,
    settled,
    short,
    style,
    title_width,
)
from echosim.reporting.inks import DASHES, INKS, Ink, Theme
from echosim.reporting.visible import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Stances = Sequence[float | None]

_LONGEST_CLAIM = 200
"""Characters of the claim that are tried in the title; so many fit in no script."""
_WIDEST_TITLE = 0.88
"""Share of the figure's width that is right of where the title begins."""
_LEAST_CHATS = 3
"""Fewer chats have no mean worth a line: its jumps would show who stopped talking."""
_LIMITS = (-1.05, 1.05)
_NAMED = 8
"""Most chats whose names stand at the ends of their lines; more would cover each other."""
_FAINT, _CLEAR = 0.2, 0.6
"""Opacity of one thin line among two hundred, and of one among few."""


def chats(
    lines: Sequence[tuple[str, Stances]],
    mean: Sequence[CurvePoint],
    count: int,
    claim: str,
    theme: Theme = "light",
) -> Figure:
    """Stance of replies toward a claim by number of the reply; below, how many chats are read there.

    Args:
        lines: names and stances of the chats that are drawn one by one; None is a gap. Few are named.
        mean: over all chats, by reply from the first, with intervals over chats.
        count: chats in all, of which `lines` may be a sample.
        claim: what stance is toward.
        theme: paper and ink.
    """
    ink = INKS[theme]
    last = max([len(mean), *(len(stances) for _, stances in lines)], default=1)
    thick = [point for point in mean if point.estimate.n >= _LEAST_CHATS]
    with style(theme):
        figure = blank(8.6, 4.8)
        axes = figure.add_subplot()
        for (_, stances), look in zip(lines, _looks(len(lines), ink), strict=True):
            _thin(axes, stances, look)
        line(axes, thick, 1.0, ink.cells[0])
        axes.axhline(0, color=ink.muted, linewidth=0.9, zorder=1.5)
        axes.set_ylim(*_LIMITS)
        count_ticks(axes, 1, last)
        axes.set_xlim(1 - 0.02 * max(1, last - 1), max(last, 2) + 0.02 * max(1, last - 1))
        ticks = [int(tick) for tick in axes.get_xticks()]
        heard = {point.turn: point.estimate.n for point in mean}
        axes.set_xticks(ticks, [f"{tick}\n({heard.get(tick, 0):,})" for tick in ticks])
        frame(axes, ink, "y")
        if len(lines) <= _NAMED:
            label_ends(axes, [*_ends(lines, ink), *_end_of_mean(thick, ink)], _LIMITS, ink, DASHES[2])
        axes.set_xlabel("reply, by its number in the chat  (chats read there)")
        axes.set_ylabel("stance toward the claim  (\u22121 denies, +1 affirms)")
        heading(axes, _title(figure, visible(" ".join(claim.split()))), _caption(len(lines), count), ink)
        return settled(figure)


def _title(figure: Figure, claim: str) -> str:
    """The claim in quotation marks; where it is too wide its last words go, or letters of one long word."""
    words = claim[:_LONGEST_CLAIM]
    while title_width(figure, _quoted(words, claim)) > _WIDEST_TITLE and len(words) > 1:
        words = words.rpartition(" ")[0] or words[:-1]
    return _quoted(words, claim)


def _quoted(words: str, claim: str) -> str:
    return f"\u201c{words}\u201d" if words == claim else f"\u201c{words} \u2026\u201d"


def _ends(lines: Sequence[tuple[str, Stances]], ink: Ink) -> Iterator[tuple[float, int, str, str]]:
    """Where each chat's line ends: value, reply, name, colour."""
    for (name, stances), look in zip(lines, _looks(len(lines), ink), strict=True):
        known = [(stance, number) for number, stance in enumerate(stances, 1) if stance is not None]
        if known:
            yield *known[-1], short(visible(name)), look["color"]


def _end_of_mean(thick: Sequence[CurvePoint], ink: Ink) -> Iterator[tuple[float, int, str, str]]:
    for point in thick[-1:]:
        if point.estimate.value is not None:
            yield point.estimate.value, point.turn, "mean", ink.cells[0]


def _looks(lines: int, ink: Ink) -> list[dict[str, Any]]:
    """How the line of each chat looks: of few, each in a colour of its own; of many, all pale."""
    if lines == 1:
        return [{"color": ink.cells[0], "marker": "o"}]
    if lines > _NAMED:
        return [{"color": ink.muted, "alpha": max(_FAINT, min(_CLEAR, 1.5 / math.sqrt(lines)))}] * lines
    others = ink.cells[1:]  # the first is that of the mean
    return [{"color": others[i % len(others)], "linestyle": DASHES[i // len(others)]} for i in range(lines)]


def _thin(axes: Axes, stances: Stances, look: dict[str, Any]) -> None:
    """One chat; a value between two gaps would be invisible in a line, so it gets a dot."""
    values = [math.nan if value is None else value for value in stances]
    alone = [i for i in range(len(values)) if _alone(stances, i)]
    look = look | {"ms": 3, "mew": 0, "zorder": 2}
    axes.plot(range(1, len(values) + 1), values, linewidth=0.8, **look)
    dots = look | {"linestyle": "none", "marker": "o"}
    axes.plot([i + 1 for i in alone], [values[i] for i in alone], **dots)


def _alone(stances: Stances, place: int) -> bool:
    around = [stances[i] for i in (place - 1, place + 1) if 0 <= i < len(stances)]
    return stances[place] is not None and all(value is None for value in around)


def _caption(drawn: int, count: int) -> str:
    if count <= 1:
        return "one chat" if count else "no reply with words"
    thin = f"thin: {drawn:,} of {count:,} chats, drawn by hash" if drawn < count else f"thin: {count:,} chats"
    mean = f"thick: mean of all where {_LEAST_CHATS} or more get that far, 95% t interval over chats"
    return f"{thin}; {mean}" if count >= _LEAST_CHATS else thin
