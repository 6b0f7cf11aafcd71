"""The figures of a report card: stance read against meant, twins by category, ECI against dose."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from echosim.reporting.figures.paper import blank, frame, heading, settled, short, style
from echosim.reporting.inks import DASHES, INKS, Ink, Theme
from echosim.reporting.measurement import TwinShare, twin_bars, twin_shares
from echosim.reporting.page_data import plain, signed
from echosim.reporting.visible import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from echosim.checks.report_card import BankCard, DoseCard, ReportCard

_BELOW = {"x": 0.22, "^": 0.37}
"""How far under a category's dot and interval the marks of cosine and lexicon stand, in rows; not at one
height, since their values may be the same."""


def reliability(banks: Sequence[BankCard], theme: Theme = "light") -> Figure:
    """Mean stance meant against mean stance read, by bin of the stance read; below, replies in each bin."""
    ink = INKS[theme]
    with style(theme):
        figure = blank(8.6, 5.0)
        columns = max(1, len(banks))
        grid = figure.subplots(2, columns, sharex=True, sharey="row", squeeze=False, height_ratios=(4, 1))
        most = max([1, *(one.replies for bank in banks for one in bank.reliability)])
        for place, bank in enumerate(banks):
            _diagonal(grid[0][place], bank, ink)
            _counts(grid[1][place], bank, 1.45 * most, ink)
        if banks:
            grid[0][0].set_ylabel("stance meant  (\u22121 corrects, +1 reinforces)")
            grid[1][0].set_ylabel("replies")
        return settled(figure)


def twins(card: ReportCard, theme: Theme = "light") -> Figure:
    """Share of twins read the right way round by category, best on top, with 95% Wilson intervals.

    A hollow dot misses what the card demands; cosine and lexicon are small marks under it.
    """
    ink, shares, bars = INKS[theme], twin_shares(card.twins), twin_bars(card.checks)
    with style(theme):
        figure = blank(8.6, 1.9 + 0.36 * max(1, len(shares)))
        axes = figure.add_subplot()
        axes.set(xlim=(-0.02, 1.03), ylim=(len(shares) - 0.3, -1.5), yticks=range(len(shares)))
        axes.set_yticklabels([_twin_name(share) for share in shares], color=ink.text, fontsize=9.5)
        frame(axes, ink, "x")
        axes.set_xticks((0, 0.25, 0.5, 0.75, 1), ("0", "0.25", "0.50\nchance", "0.75", "1"))
        axes.axvline(0.5, color=ink.muted, linewidth=0.9, zorder=1)
        _bars(axes, bars, ink)
        for place, share in enumerate(shares):
            bar = bars.get("all twins" if share.span is None else "each category" if share.demanded else "")
            _twin(axes, place, share, bar is not None and share.right < bar, ink)
        axes.set_xlabel("share of pairs in which the reinforcing reply reads higher")
        heading(axes, "Which of two replies supports the belief?", "95% Wilson intervals over pairs", ink)
        _key(axes, ink)
        return settled(figure)


def dose(card: DoseCard, theme: Theme = "light") -> Figure:
    """Echo Capture Index of targets by the share of their replies that are sycophantic."""
    ink = INKS[theme]
    with style(theme):
        figure = blank(6.4, 4.2)
        axes = figure.add_subplot()
        axes.set(xlim=(-0.12, 1.08), ylim=(-108, 108))
        axes.axhline(0, color=ink.muted, linewidth=1, zorder=1)
        drawn = [math.nan if eci is None else eci for eci in card.eci]  # leaves a gap in the line
        axes.plot(card.doses, drawn, "o-", color=ink.cells[0], lw=2, ms=7, mec=ink.paper, zorder=3)
        frame(axes, ink, "y")
        ticks = range(-100, 101, 50)
        axes.set_yticks(ticks, [signed(tick, 0) for tick in ticks])
        both = zip(card.doses, card.eci, strict=True)
        axes.set_xticks(card.doses, [f"{plain(share, 1)}\n({signed(eci, 1)})" for share, eci in both])
        axes.set_xlabel("dose: share of replies that are sycophantic  (ECI there)")
        axes.set_ylabel("Echo Capture Index, points")
        said = f"Spearman {signed(card.spearman)} over {len(card.doses)} doses; the card keeps no intervals"
        heading(axes, "Does the board follow the dose?", said, ink)
        return settled(figure)


# --- parts --------------------------------------------------------------------------------------


def _diagonal(axes: Axes, bank: BankCard, ink: Ink) -> None:
    axes.plot([-1, 1], [-1, 1], color=ink.muted, linewidth=1, linestyle=DASHES[2], zorder=1)
    read, meant = ([getattr(one, side) for one in bank.reliability] for side in ("read", "true"))
    axes.plot(read, meant, "o-", color=ink.cells[0], lw=1.6, ms=6, mec=ink.paper, zorder=3)
    axes.set(xlim=(-1.05, 1.05), ylim=(-1.05, 1.05))
    ticks = (-1, -0.5, 0, 0.5, 1)
    axes.set_yticks(ticks, [signed(tick, 1) for tick in ticks])
    frame(axes, ink, "both")
    replies = sum(one.replies for one in bank.reliability)
    heading(axes, f"Bank {bank.bank}", f"{replies:,} replies; on the dotted line read is as meant", ink)


def _counts(axes: Axes, bank: BankCard, height: float, ink: Ink) -> None:
    for one in bank.reliability:
        axes.bar(
            one.low, one.replies, one.high - one.low, align="edge", color=ink.muted, ec=ink.paper, alpha=0.6
        )
        axes.annotate(
            f"{one.replies:,}",
            ((one.low + one.high) / 2, one.replies),
            (0, 2),
            textcoords="offset points",
            ha="center",
            fontsize=8,
            color=ink.text,
        )
    axes.set_ylim(0, height)
    frame(axes, ink, "x")
    axes.set_yticks(())
    ticks = (-1, -0.5, 0, 0.5, 1)
    axes.set_xticks(ticks, [signed(tick, 1) for tick in ticks])
    axes.set_xlabel("stance read  (\u22121 corrects, +1 reinforces)")


def _twin_name(share: TwinShare) -> str:
    words = short(visible(share.category))
    return f"{words} ({share.pairs:,})" if share.demanded else f"{words}, not demanded ({share.pairs:,})"


def _bars(axes: Axes, bars: dict[str, float], ink: Ink) -> None:
    """What is demanded, as broken lines: words left of the lower one, right of the higher one."""
    for place, (words, bar) in enumerate(sorted(bars.items(), key=lambda item: item[1])):
        axes.axvline(bar, color=ink.text, linewidth=1, linestyle=DASHES[1], zorder=1)
        axes.text(
            bar + (-0.008, 0.008)[place],
            -1.0,
            f"{words} \u2265 {plain(bar)}",
            ha=("right", "left")[place],
            va="center",
            fontsize=8.5,
            color=ink.text,
            bbox={"facecolor": ink.paper, "edgecolor": "none", "pad": 0.5},
        )


def _twin(axes: Axes, place: int, share: TwinShare, missed: bool, ink: Ink) -> None:
    colour = ink.cells[1] if missed else ink.cells[0] if share.demanded else ink.muted
    if share.span is not None:
        axes.plot(share.span, (place, place), color=colour, lw=2.6, solid_capstyle="round", zorder=2)
    axes.plot(
        [share.right],
        [place],
        "o",
        color=colour,
        ms=7,
        mfc=ink.paper if missed else colour,
        mew=1.8,
        zorder=3,
    )
    for value, mark in ((share.cosine, "x"), (share.lexicon, "^")):
        axes.plot([value], [place + _BELOW[mark]], mark, color=ink.muted, ms=4.2, mew=1.2, zorder=3)
    axes.text(
        1.01,
        place,
        plain(share.right),
        transform=axes.get_yaxis_transform(),
        va="center",
        fontsize=9,
        color=ink.text,
    )


def _key(axes: Axes, ink: Ink) -> None:
    """What the marks mean, under the figure, where no row is."""
    for words, mark, colour, fill, size in (
        ("reader", "o", ink.cells[0], ink.cells[0], 7),
        ("reader, below what is demanded", "o", ink.cells[1], ink.paper, 7),
        ("cosine", "x", ink.muted, ink.muted, 4.2),
        ("lexicon", "^", ink.muted, ink.muted, 4.2),
    ):
        axes.plot([], [], mark, color=colour, mfc=fill, ms=size, mew=1.6, label=words)
    axes.figure.legend(loc="outside lower center", ncols=4, frameon=False, fontsize=9, labelcolor=ink.text)
