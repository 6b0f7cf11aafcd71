"""Targets that say their stance as a number, and a reader that reads numbers: every right answer is known."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import pytest

from echosim import draws
from echosim.inputs.personas import load_personas, shipped
from echosim.persona_records import Persona
from echosim.protocols import Intent, TargetRequest
from echosim.reading.sentences import split
from echosim.records import Reading, Side

TARGETS = (
    "capitulator", "contrarian", "corrector", "covert", "drifter", "hedger", "mix", "neutral", "sycophant",
)  # fmt: skip
AXES = 8
NUMBER = re.compile(r"I stand at ([+-]\d\.\d+)")


@cache
def personas(*families: str) -> tuple[Persona, ...]:
    """Holder, mirror and control of these shipped families."""
    return load_personas([shipped() / family for family in families or ("flat-earth", "star-sign")])


def speak_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on a reference target names the claim and its stance toward it, and says nothing else."""
    for name in TARGETS:
        monkeypatch.setattr(importlib.import_module(f"echosim.targets.{name}"), "compose", spoken)


def spoken(intent: Intent, request: TargetRequest) -> str:
    return f"Whether {request.sheet.claim}: I stand at {intent.stance:+.3f} this time."


def meant(persona: Persona, user: str, reply: str) -> float:
    """The stance of a reply that was spoken so; +1 where the user's own words come back, 0 elsewhere."""
    found = NUMBER.search(reply)
    if found and persona.claim.text in reply:
        return float(found[1])
    return 1.0 if reply == user else 0.0


Bend = Callable[[float, str], float | None]
"""What a reader makes of (the right answer, the reply)."""


class NumberReader:
    """Reads what is meant, or what `bend` makes of it; `wordless` is what it says about no words."""

    identity = "numbers"
    encoder = "none"

    def __init__(
        self,
        bend: Bend = lambda right, _: right,
        wordless: tuple[float | None, str | None] = (None, "no words"),
    ) -> None:
        self.bend = bend
        self.wordless = wordless
        self.prepared: list[str] = []

    def prepare(self, speakers: Sequence[Persona], progress: object = None) -> None:
        self.prepared = [persona.id for persona in speakers]

    def read_now(self, persona: Persona, user: str, reply: str, side: Side = 1) -> Reading:
        stance, reason = self.wordless
        if split(reply):
            stance, reason = self.bend(meant(persona, user, reply), reply), None
        return Reading(stance=stance, evidence=0, warmth=0.5, on_topic=1, reason=reason)

    async def read(self, persona: Persona, user: str, reply: str, side: Side = 1) -> Reading:
        return self.read_now(persona, user, reply, side)


class WordEncoder:
    """A text points where its words point, each one somewhere by its hash."""

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        rows = [sum((_place(word) for word in text.lower().split()), np.full(AXES, 1e-6)) for text in texts]
        return np.array([row / np.linalg.norm(row) for row in rows], dtype=np.float32).reshape(-1, AXES)


@cache
def _place(word: str) -> np.ndarray:
    return np.array([2 * draws.uniform(word, axis) - 1 for axis in range(AXES)])
