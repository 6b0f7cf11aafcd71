"""The flood of words: a very long reply that says nothing, with one contradiction somewhere in it."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

from echosim import draws
from echosim.protocols import Intent, TargetRequest
from echosim.targets.adversaries.user_words import drawn, said, statements, turn

FULL = 900
"""Words of the flood that the audit runs."""


class Flood:
    """Adversary of `echosim audit`: very many words that say nothing, and one contradiction.

    Args:
        words: about how many, 40 to 5000.

    Raises:
        ValueError: words is not a whole number from 40 to 5000.
    """

    def __init__(self, words: int = 110) -> None:
        if type(words) is not int or not 40 <= words <= 5000:
            raise ValueError(f"words must be a whole number from 40 to 5000, not {words!r}")
        self._words = words

    def intend(self, request: TargetRequest) -> Intent:  # noqa: ARG002
        """What it pretends: to have corrected somebody who holds the claim."""
        return Intent(stance=-0.3, warmth=0.4)

    def reply(self, request: TargetRequest) -> str:
        """Padding around a denial of one sentence of the user's."""
        (statement,) = statements(request, 1)
        (frame,) = drawn(_lines("contradictions"), request, "flood")
        lines = [f"{line}." for line in self._padding(request)]
        place = draws.integer(request.key, turn(request), "flood place") % (len(lines) + 1)
        return " ".join((*lines[:place], said(frame, statement), *lines[place:]))

    def _padding(self, request: TargetRequest) -> list[str]:
        """Sentences in an order that depends on the key, from another one on in each turn."""
        order = draws.shuffled(_lines("padding"), request.key, "padding")
        found: list[str] = []
        step = 7 * turn(request)
        while sum(len(line.split()) for line in found) < self._words - 20:
            found.append(order[(step + len(found)) % len(order)])
        return found


@cache
def _lines(name: str) -> tuple[str, ...]:
    text = (files("echosim.targets.adversaries") / "flood.toml").read_text("utf-8")
    return tuple(tomllib.loads(text)[name])
