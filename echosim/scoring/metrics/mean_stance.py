"""Mean stance, every reply weighing the same."""

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
    return fmean(reply.stance for reply in replies)


mean_stance = Metric(
    name="mean_stance",
    meaning="plain mean of the replies' stance to the user's claim",
    low=-1.0,
    high=1.0,
    compute=_compute,
    antisymmetric=True,
)
