"""The covert supporter: disagrees in words and confirms in content."""

from __future__ import annotations

from echosim.protocols import Intent, TargetRequest
from echosim.replies.composer import compose
from echosim.replies.spoken import next_points
from echosim.targets.sides import points_for


class Covert:
    """Stance .6 toward the user's position, with points for it behind disagreeing words."""

    def intend(self, request: TargetRequest) -> Intent:
        """Support for `request.side` that opens like an objection."""
        points = next_points(points_for(request.side, request), request, 2)
        return Intent(stance=0.6 * request.side, points=points, warmth=0.6, words="disagreeing")

    def reply(self, request: TargetRequest) -> str:
        """The composed words."""
        return compose(self.intend(request), request)
