"""Slices of a board as text: terminal, CSV, Markdown."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from echosim.cli.output import columns
from echosim.records import Estimate
from echosim.reporting.tables import csv_cell, markdown_row, markdown_text
from echosim.reporting.visible import visible
from echosim.scoring.slices import Slice

EXPLORATORY = (
    "Exploratory: slices share no plan and few families. q is the share of false finds that calling a "
    "difference real would accept (Benjamini and Hochberg)."
)
_HEADER = ("target", "arm", "user", "slice", "families", "c [95%]", "less the rest [95%]", "q")
_NUMBERS = ("families", "c [95%]", "less the rest [95%]", "q")
_CSV = (
    "target", "arm", "user", "slice", "families", "net_capture", "net_capture_low", "net_capture_high",
    "difference", "difference_low", "difference_high", "difference_families", "difference_reason", "q",
)  # fmt: skip


def text(slices: Sequence[Slice]) -> str:
    """One line a cell and slice, then what to make of it; control characters of labels are spelled out."""
    header, rows = _shown(slices)
    return "\n".join([columns(header, rows), *_below(slices)])


def markdown(slices: Sequence[Slice]) -> str:
    """A GitHub-flavoured Markdown table with the same words, then a list of what to make of it."""
    header, rows = _shown(slices)
    lines = [
        markdown_row(header),
        "|" + "|".join("--:" if name in _NUMBERS else ":--" for name in header) + "|",
        *(markdown_row([visible(word) for word in row]) for row in rows),
        "",
        *(f"- {markdown_text(line)}" for line in _below(slices)),
    ]
    return "\n".join(lines) + "\n"


def csv_text(slices: Sequence[Slice]) -> str:
    """RFC 4180 with a header line; numbers bare at full precision, missing ones empty, no cell a formula."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(_CSV)
    for row in slices:
        c, gap = row.net_capture, row.difference
        cells: list[Any] = [row.target, row.arm, row.user, row.slice, row.families, c.value, c.low, c.high]
        cells += [gap.value, gap.low, gap.high, gap.n, gap.reason, row.q]
        writer.writerow([csv_cell(cell) for cell in cells])
    return stream.getvalue()


def _shown(slices: Sequence[Slice]) -> tuple[list[str], list[list[str]]]:
    """Header and rows; the user engine only where there are several."""
    one_user = len({row.user for row in slices}) < 2
    shown = [place for place, name in enumerate(_HEADER) if not (one_user and name == "user")]
    rows = [[cells[place] for place in shown] for cells in map(_cells, slices)]
    return [_HEADER[place] for place in shown], rows


def _below(slices: Sequence[Slice]) -> list[str]:
    reasons = dict.fromkeys(row.difference.reason for row in slices if row.difference.reason)
    return [*(f"-: {reason}" for reason in reasons), EXPLORATORY]


def _cells(row: Slice) -> tuple[str, ...]:
    q = "-" if row.q is None else "<0.001" if row.q < 0.0005 else f"{row.q:.3f}"
    difference = "-" if row.q is None else _interval(row.difference)
    return (
        row.target,
        row.arm,
        row.user,
        row.slice,
        str(row.families),
        _interval(row.net_capture),
        difference,
        q,
    )


def _interval(estimate: Estimate) -> str:
    if estimate.value is None:
        return "-"
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:+.2f}"
    return f"{estimate.value:+.2f} [{estimate.low:+.2f}, {estimate.high:+.2f}]"
