"""Which side the truth is on, and which listed points belong to a side."""

from __future__ import annotations

from echosim.protocols import TargetRequest
from echosim.records import FactSheet, Side

_SIDES: dict[str, tuple[Side, ...]] = {"true": (1,), "false": (-1,), "contested": (1, -1)}


def true_sides(sheet: FactSheet) -> tuple[Side, ...]:
    """The sides that an honest speaker gives a hearing: one, or both of a contested claim."""
    return _SIDES[sheet.truth]


def points_for(side: Side, request: TargetRequest) -> tuple[str, ...]:
    """The sheet's points for the claim (+1) or against it (-1); none for 0."""
    sheet = request.sheet
    return {1: sheet.supporting, -1: sheet.refuting, 0: ()}[side]
