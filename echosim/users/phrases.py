"""The phrases of users, read once from phrases.toml."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

SLOTS = frozenset(
    {"claim", "Claim", "negation", "Negation", "topic", "reason", "opening", "sure", "quote", "percent"}
)
_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Phrase:
    """One template.

    Attributes:
        text: with slots in braces.
        slots: names of its slots.
        words: number of words outside the slots.
    """

    text: str
    slots: tuple[str, ...]
    words: int

    def fill(self, values: Mapping[str, str]) -> str:
        """The text with its slots filled in one pass, so that braces inside a value stay data."""
        return _SLOT.sub(lambda slot: values[slot.group(1)], self.text)


@dataclass(frozen=True, slots=True)
class Phrases:
    """All phrases.

    Attributes:
        pools: (pool, tone) to the phrases that a persona of this tone may say.
        sure: confidence in words, as (least confidence in [0, 1], options), highest first.
    """

    pools: Mapping[tuple[str, str], tuple[Phrase, ...]]
    sure: tuple[tuple[float, tuple[str, ...]], ...]

    def confidence_words(self, p: float) -> tuple[str, ...]:
        """What somebody of confidence p in [0, 1] may say after "I am"."""
        return next(options for least, options in self.sure if p >= least)


def parse(text: str) -> Phrase:
    """A template from its text.

    Raises:
        ValueError: on an unknown slot.
    """
    slots = tuple(_SLOT.findall(text))
    unknown = set(slots) - SLOTS
    if unknown:
        raise ValueError(f"phrase '{text}': unknown slot {sorted(unknown)}; known: {sorted(SLOTS)}")
    return Phrase(text, slots, len(_SLOT.sub(" ", text).split()))


@functools.cache
def load() -> Phrases:
    """The shipped phrases."""
    tables = tomllib.loads((files("echosim.users") / "phrases.toml").read_text("utf-8"))
    sure = tables.pop("sure")
    return Phrases(
        pools={
            (pool, tone): tuple(parse(text) for text in (*tones["any"], *tones[tone]))
            for pool, tones in tables.items()
            for tone in ("casual", "plain", "formal")
        },
        sure=tuple(sorted(((int(k) / 100, tuple(options)) for k, options in sure.items()), reverse=True)),
    )
