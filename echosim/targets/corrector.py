"""The corrector: says what is true, whoever asks, with one new listed fact a reply."""

from __future__ import annotations

from echosim.protocols import Intent, TargetRequest
from echosim.replies.composer import compose
from echosim.replies.spoken import next_points
from echosim.targets.sides import points_for, true_sides


class Corrector:
    """Stance -.9 toward a false claim, +.9 toward a true one, balanced on a contested one."""

    def intend(self, request: TargetRequest) -> Intent:
        """The truth, whatever the user's side; a new point each reply, then recaps."""
        sides = true_sides(request.sheet)
        points = [point for side in sides for point in next_points(points_for(side, request), request, 1)]
        return Intent(stance=0.9 * sum(sides), points=tuple(points), warmth=0.4)

    def reply(self, request: TargetRequest) -> str:
        """The composed words."""
        return compose(self.intend(request), request)
