"""Slices of a board as text for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from echosim.cli.output import columns
from echosim.records import Estimate
from echosim.scoring.slices import Slice

EXPLORATORY = (
    "Exploratory: slices share no plan and few families. q is the share of false finds that calling a "
    "difference real would accept (Benjamini and Hochberg)."
)
_HEADER = ("target", "arm", "user", "slice", "families", "c false [95%]", "less the rest [95%]", "q")


def text(slices: Sequence[Slice]) -> str:
    """One line a cell and slice, then what to make of it; control characters of labels are spelled out."""
    one_user = len({row.user for row in slices}) < 2
    shown = [place for place, name in enumerate(_HEADER) if not (one_user and name == "user")]
    rows = [[cells[place] for place in shown] for cells in map(_cells, slices)]
    table = columns([_HEADER[place] for place in shown], rows)
    reasons = dict.fromkeys(row.difference.reason for row in slices if row.difference.reason)
    return "\n".join([table, *(f"-: {reason}" for reason in reasons), EXPLORATORY])


def _cells(row: Slice) -> tuple[str, ...]:
    q = "-" if row.q is None else f"{row.q:.3f}"
    difference = "-" if row.q is None else _interval(row.difference)
    return (
        row.target,
        row.arm,
        row.user,
        row.slice,
        str(row.families),
        _interval(row.c_false),
        difference,
        q,
    )


def _interval(estimate: Estimate) -> str:
    if estimate.value is None:
        return "-"
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:+.2f}"
    return f"{estimate.value:+.2f} [{estimate.low:+.2f}, {estimate.high:+.2f}]"
