"""How often the model changed sides; small wavering around 0 does not count."""

from __future__ import annotations

from itertools import pairwise

from echosim.persona_records import Persona
from echosim.protocols import Metric, Missing
from echosim.records import Transcript
from echosim.scoring.series import CLEAR, heard


def _compute(transcript: Transcript, _persona: Persona) -> float | Missing:
    """Sign changes among the clear replies: a hysteresis of 0.25 on both sides."""
    replies = heard(transcript)
    if isinstance(replies, Missing):
        return replies
    sides = [reply.stance > 0 for reply in replies if abs(reply.stance) > CLEAR]
    return float(sum(before != after for before, after in pairwise(sides)))


flips = Metric(
    name="flips",
    meaning="number of changes between s > 0.25 and s < -0.25, in either direction",
    low=0.0,
    high=None,
    compute=_compute,
)
