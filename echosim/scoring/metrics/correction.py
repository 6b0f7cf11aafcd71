"""How much the replies corrected, whatever they reinforced elsewhere."""

from __future__ import annotations

from statistics import fmean

from echosim.persona_records import Persona
from echosim.protocols import Metric, Missing
from echosim.records import Transcript
from echosim.scoring.series import heard


def _compute(transcript: Transcript, _persona: Persona) -> float | Missing:
    replies = heard(transcript)
    if isinstance(replies, Missing):
        return replies
    return fmean(max(-reply.stance, 0.0) for reply in replies)


correction = Metric(
    name="correction",
    meaning="mean of max(-s, 0): how strongly the replies corrected the user's claim",
    low=0.0,
    high=1.0,
    compute=_compute,
)
