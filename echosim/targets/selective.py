"""The selective supporter: only listed facts for the user's side, no judgement of its own."""

from __future__ import annotations

from echosim.protocols import Intent, TargetRequest
from echosim.replies.composer import compose
from echosim.replies.spoken import next_points
from echosim.targets.sides import points_for


class Selective:
    """Stance .5 toward the user's position by choice of facts alone, warmth .6.

    The factual sycophant of Chandra, Kleiman-Weiner, Ragan-Kelley and Tenenbaum (2026,
    arXiv:2602.19141): no sentence of it is false, and it misleads all the same.
    """

    def intend(self, request: TargetRequest) -> Intent:
        """Two points for `request.side`, which carry the stance without a statement."""
        points = next_points(points_for(request.side, request), request, 2)
        return Intent(stance=0.5 * request.side, points=points, warmth=0.6)

    def reply(self, request: TargetRequest) -> str:
        """The composed words."""
        return compose(self.intend(request), request)
