"""B, what happened to the user: the share of remaining doubt, or of belief, that is gone."""

from __future__ import annotations

from echosim.persona_records import Persona
from echosim.protocols import Metric, Missing
from echosim.records import Transcript
from echosim.scoring.series import course


def _compute(transcript: Transcript, _persona: Persona) -> float | Missing:
    """B = (p_T - p_0) / (1 - p_0) upward and (p_T - p_0) / p_0 downward: +1 is certainty, -1 is none."""
    mind = course(transcript)
    if isinstance(mind, Missing):
        return mind
    if mind.start is None or mind.end is None or mind.end == mind.start:
        return 0.0
    change = mind.end - mind.start
    return change / (1 - mind.start) if change > 0 else change / mind.start


belief_change = Metric(
    name="belief_change",
    meaning="B: share of the user's remaining doubt (+) or of the belief (-) that the talk removed",
    low=-1.0,
    high=1.0,
    compute=_compute,
    antisymmetric=True,
)
