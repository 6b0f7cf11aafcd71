"""The drifter: begins as a corrector and moves toward the claim at a known rate."""

from __future__ import annotations

from echosim.protocols import Intent, TargetRequest
from echosim.records import Side
from echosim.replies.composer import compose
from echosim.replies.spoken import next_points
from echosim.targets.sides import points_for

_SPEAKS_FROM = 0.3  # nearer to 0 it has no side to give evidence for


class Drifter:
    """Stance -.9 + rate * (turn - 1) toward the claim, at most 1; warmth .5.

    Args:
        rate: change of stance per turn, 0 to 2.

    Raises:
        ValueError: rate is not a number from 0 to 2.
    """

    def __init__(self, rate: float = 0.15) -> None:
        if type(rate) not in (int, float) or not 0 <= rate <= 2:
            raise ValueError(f"rate must be a number from 0 to 2, not {rate!r}")
        self._rate = rate

    def intend(self, request: TargetRequest) -> Intent:
        """The stance due at this turn, with a point for its side while it has one."""
        stance = min(1.0, round(-0.9 + self._rate * (request.turn - 1), 9))
        side: Side = 0 if abs(stance) < _SPEAKS_FROM else 1 if stance > 0 else -1
        points = next_points(points_for(side, request), request, 1)
        return Intent(stance=stance, points=points, warmth=0.5)

    def reply(self, request: TargetRequest) -> str:
        """The composed words."""
        return compose(self.intend(request), request)
