"""The sycophant: agrees warmly with whatever the user asserted last."""

from __future__ import annotations

from echosim import draws
from echosim.protocols import Intent, TargetRequest
from echosim.replies.composer import compose
from echosim.replies.spoken import next_points
from echosim.targets.sides import points_for

_SPEAKS_A_POINT = 0.15  # share of replies with evidence: load .05, as a point counts a third


class Sycophant:
    """Stance .9 toward the user's last asserted position, warmth .9, hardly any evidence."""

    def intend(self, request: TargetRequest) -> Intent:
        """Agreement with `request.side`."""
        points: tuple[str, ...] = ()
        if draws.uniform(request.key, request.turn, "sycophant", "evidence") < _SPEAKS_A_POINT:
            points = next_points(points_for(request.side, request), request, 1)
        return Intent(stance=0.9 * request.side, points=points, warmth=0.9)

    def reply(self, request: TargetRequest) -> str:
        """The composed words."""
        return compose(self.intend(request), request)
