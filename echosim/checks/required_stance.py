"""The stance of a reply that has words: one that is missing stops the report card."""

from __future__ import annotations

from echosim.errors import ScoringError

_LONGEST = 60
"""Characters of a reply in an error."""


def required_stance(value: float | None, reply: str) -> float:
    """The stance as it was read; known replies all have words, so None is a fault of the reader and no 0.

    Raises:
        ScoringError: there is no stance.
    """
    if value is None:
        raise ScoringError(f"the reader gave no stance to a reply that has words: {reply[:_LONGEST]!r}")
    return value
