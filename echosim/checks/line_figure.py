"""One number of a table about the users' lines, or why there is none."""

from __future__ import annotations

from echosim.records import Record


class Figure(Record):
    """One number about the lines of a user engine."""

    value: float | None
    n: int = 0
    """Lines, conversations or personas behind it."""
    reason: str | None = None
    """Why there is none."""
