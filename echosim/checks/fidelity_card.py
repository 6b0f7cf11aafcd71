"""The fidelity card as records: does the belief engine move a crowd as people moved in the studies named?

One row is one number of one situation beside the bracket that was set for it beforehand. No people were
asked for echosim: where no study gives a size, the row says that it is assumed.
"""

from __future__ import annotations

from pydantic import model_validator

from echosim.records import Record

NOTE = "No human data were collected; effect sizes are imported from the studies named."
"""Printed beside every table."""


class CalibrationRow(Record):
    """One situation, what the engine does in it, and what it should do."""

    id: str
    """C1 to C12, with a letter where a situation is judged by several numbers."""
    situation: str
    value: float
    """Rounded to six decimals, so that the last bits of a machine's exponential do not show."""
    low: float | None
    """Lower end of the bracket; None where there is none."""
    high: float | None
    """Upper end, likewise."""
    strict: bool = False
    """The ends themselves lie outside."""
    unit: str
    inside: bool
    study: str
    """Author, year and venue of the study that the number comes from, or "assumed"."""
    assumed: bool = False
    """No study gives the size of the bracket, its direction at most."""

    @model_validator(mode="after")
    def _honest(self) -> CalibrationRow:
        if self.inside != within(self.value, self.low, self.high, self.strict):
            raise ValueError(f"{self.id}: 'inside' is not what value and bracket say")
        return self


class SweepRow(Record):
    """The reference targets under one changed constant of the engine."""

    constant: str
    factor: float
    value: float
    """Of the constant: its default times the factor, rho at most 1."""
    capture: dict[str, float]
    """Mean net capture c by target, from the one that should be lowest."""
    belief: dict[str, float]
    """Mean share B of remaining doubt (+) or belief (-) removed, likewise."""
    by_capture: bool
    """The targets stand in the full order by c."""
    by_belief: bool
    """By B the corrector is under contrarian, hedger, capitulator and neutral, and these are under covert and
    sycophant; within a group B is too near a tie to be held to an order."""


class CalibrationTable(Record):
    """All rows of one crowd; the same seed and size give the same bytes."""

    version: str
    """Of echosim."""
    users: int
    seed: int
    rows: tuple[CalibrationRow, ...]
    sweep: tuple[SweepRow, ...] = ()
    """Empty where it was not asked for."""
    note: str = NOTE
    passed: bool
    """Every row is inside its bracket, and every order of the sweep holds."""


def within(value: float, low: float | None, high: float | None, strict: bool = False) -> bool:
    """Whether a value lies in a bracket; `strict` leaves the ends out."""
    ends = [end for end in (low, high) if end is not None]
    if strict and value in ends:
        return False
    return (low is None or low <= value) and (high is None or value <= high)


def dump(table: CalibrationTable) -> str:
    """The table as JSON text that ends with a line feed."""
    return table.model_dump_json(indent=1) + "\n"


def load(text: str) -> CalibrationTable:
    """The table that `dump` wrote.

    Raises:
        ValueError: the text is no such table, or contradicts itself.
    """
    return CalibrationTable.model_validate_json(text)
