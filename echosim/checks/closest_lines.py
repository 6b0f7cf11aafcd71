"""Do different people say the same? How much of a line somebody else has said in the same act.

Lines are kept as a sample of fixed size, chosen by their hash: the same lines in any order give the same
sample, and memory does not grow with the run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

from echosim import draws
from echosim.records import Act
from echosim.users.verbatim import words

SAMPLE = 100
"""Lines of one act that are compared with each other; every line of a small run."""

Pair = tuple[str, str]


def bigrams(text: str) -> list[Pair]:
    """Pairs of neighbouring words, in small letters, with repetition."""
    return list(pairwise(words(text)))


@dataclass(slots=True)
class Sample:
    """Different lines by act; the same words of the same persona count once."""

    by_act: dict[Act, dict[str, tuple[str, frozenset[Pair]]]] = field(default_factory=dict)
    """Hash of a line to persona and word pairs."""

    def add(self, act: Act, persona: str, text: str, pairs: list[Pair]) -> None:
        """Offer one line; `pairs` are its bigrams. A line of fewer than two words has none to compare."""
        if not pairs:
            return
        kept = self.by_act.setdefault(act, {})
        kept[draws.key("line", persona, text)] = (persona, frozenset(pairs))
        if len(kept) > 2 * SAMPLE:
            for key in sorted(kept)[SAMPLE:]:
                del kept[key]

    def alike(self) -> tuple[float | None, int]:
        """Share of a line's pairs that the closest line of another persona has too, mean over lines.

        Returns:
            The mean in [0, 1], and the lines behind it; (None, 0) where no act has lines of two personas.
        """
        highest = [
            share
            for _, kept in sorted(self.by_act.items())
            for share in _closest([kept[key] for key in sorted(kept)[:SAMPLE]])
        ]
        return (sum(highest) / len(highest), len(highest)) if highest else (None, 0)


def _closest(lines: list[tuple[str, frozenset[Pair]]]) -> list[float]:
    """For each line that has a counterpart: its highest share."""
    found = []
    for persona, pairs in lines:
        shared = [len(pairs & other) for somebody, other in lines if somebody != persona]
        if shared:
            found.append(max(shared) / len(pairs))
    return found
