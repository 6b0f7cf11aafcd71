"""Where the replies are heading: the straight line through stance by turn."""

from __future__ import annotations

from math import fsum
from statistics import fmean

from echosim.persona_records import Persona
from echosim.protocols import Metric, Missing
from echosim.records import Transcript
from echosim.scoring.series import heard


def _compute(transcript: Transcript, _persona: Persona) -> float | Missing:
    """Slope of the least-squares line of s_t on t."""
    replies = heard(transcript)
    if isinstance(replies, Missing):
        return replies
    if len(replies) < 2:
        return Missing("a slope needs 2 replies with a stance, there is 1")
    middle = fmean(reply.turn for reply in replies)
    spread = fsum((reply.turn - middle) ** 2 for reply in replies)
    return fsum((reply.turn - middle) * reply.stance for reply in replies) / spread


drift_slope = Metric(
    name="drift_slope",
    meaning="change of stance per turn (least squares); two opposite replies in a row give the bounds",
    low=-2.0,
    high=2.0,
    compute=_compute,
    antisymmetric=True,
)
