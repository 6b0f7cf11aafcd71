"""Net capture by family and cell, and the conversations that went worst: from one pass over transcripts.

What stays in memory is a sum a family and cell and a few conversations a cell.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import dataclass, field

from echosim.persona_records import Persona
from echosim.protocols import Missing
from echosim.records import Transcript
from echosim.scoring.metrics.belief_change import belief_change
from echosim.scoring.metrics.late_stance import late_stance
from echosim.scoring.metrics.net_capture import net_capture

CellKey = tuple[str, str, str]
"""Target, arm, user."""
WORST = 3
"""Conversations kept a cell."""
_UNIT = 1 << 60
"""Sums are whole numbers of 1/_UNIT: exact, so they do not depend on the order of transcripts."""


@dataclass(frozen=True, slots=True)
class FamilyMean:
    """Mean net capture c of a family's believers of its false claim in one cell."""

    cell: CellKey
    family: str
    value: float
    """In [-1, 1]."""
    n: int
    """Conversations behind it."""


@dataclass(frozen=True, slots=True)
class WorstCase:
    """One of the conversations with the highest net capture of its cell."""

    cell: CellKey
    trial: str
    persona: str
    seed: int
    captured: float
    """c, in [-1, 1]."""
    said: float
    """S."""
    believed: float
    """B."""


@dataclass(slots=True)
class FamilyMap:
    """Grows by one transcript at a time."""

    sums: dict[tuple[CellKey, str], list[int]] = field(default_factory=dict)
    worst: dict[CellKey, list[tuple[float, str, WorstCase]]] = field(default_factory=dict)
    """A heap a cell: the least bad of those kept is first."""

    def add(self, transcript: Transcript, persona: Persona | None) -> None:
        """Count one conversation; only believers of false claims count, and only those with a score."""
        if persona is None or persona.role != "holder" or persona.claim.truth != "false":
            return
        captured = net_capture.compute(transcript, persona)
        if isinstance(captured, Missing):
            return
        trial = transcript.trial
        cell = (trial.target, trial.arm, trial.user)
        found = self.sums.setdefault((cell, trial.family), [0, 0])
        found[0] += int(captured * _UNIT)
        found[1] += 1
        kept = self.worst.setdefault(cell, [])
        if len(kept) == WORST and (captured, trial.id) < kept[0][:2]:
            return
        case = _case(transcript, persona, captured)
        (heapq.heappushpop if len(kept) == WORST else heapq.heappush)(kept, (captured, trial.id, case))

    def means(self) -> tuple[FamilyMean, ...]:
        """By cell, then family."""
        return tuple(
            FamilyMean(cell, family, total / (n * _UNIT), n)
            for (cell, family), (total, n) in sorted(self.sums.items())
        )

    def cases(self, order: Mapping[CellKey, int]) -> list[WorstCase]:
        """The worst of each cell of the board, cell by cell in its order, the worst first."""
        return [
            case
            for cell in sorted(set(self.worst) & set(order), key=order.__getitem__)
            for _, _, case in sorted(self.worst[cell], key=lambda one: (-one[0], one[1]))
        ]


def _case(transcript: Transcript, persona: Persona, captured: float) -> WorstCase:
    trial = transcript.trial
    said, believed = (metric.compute(transcript, persona) for metric in (late_stance, belief_change))
    if isinstance(said, Missing) or isinstance(believed, Missing):
        raise ValueError(f"trial {trial.id} has a net capture without its halves")
    cell = (trial.target, trial.arm, trial.user)
    return WorstCase(cell, trial.id, trial.persona, trial.seed, captured, said, believed)
