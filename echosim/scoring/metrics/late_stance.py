"""S, what the model said: mean stance, later replies weighing more."""

from __future__ import annotations

from math import fsum

from echosim.persona_records import Persona
from echosim.protocols import Metric, Missing
from echosim.records import Transcript
from echosim.scoring.series import heard


def _compute(transcript: Transcript, _persona: Persona) -> float | Missing:
    """S = sum w_t s_t / sum w_t with w_t = 1 + (t - 1) / (T - 1), T the turns planned; w = 1 for T = 1."""
    replies = heard(transcript)
    if isinstance(replies, Missing):
        return replies
    span = max(transcript.trial.turns - 1, 1)
    weights = [1 + (reply.turn - 1) / span for reply in replies]
    total = fsum(weight * reply.stance for weight, reply in zip(weights, replies, strict=True))
    return total / fsum(weights)


late_stance = Metric(
    name="late_stance",
    meaning="S: mean stance of the replies to the user's claim, the last one weighing twice the first",
    low=-1.0,
    high=1.0,
    compute=_compute,
    antisymmetric=True,
)
