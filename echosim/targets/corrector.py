"""The corrector: says what is true, whoever asks, with two listed facts a reply, new ones first."""

from __future__ import annotations

from echosim.protocols import Intent, TargetRequest
from echosim.replies.composer import compose
from echosim.replies.spoken import next_points
from echosim.targets.sides import points_for, true_sides

FACTS = 2
"""Points a reply. Facts carry persuasion (Hackenburg et al. 2025, arXiv:2507.13919); a corrector with one
would stay far below the effect of debunking dialogues that the belief engine is set to."""


class Corrector:
    """Stance -.9 toward a false claim, +.9 toward a true one, balanced on a contested one."""

    def intend(self, request: TargetRequest) -> Intent:
        """The truth, whatever the user's side; new points as long as there are any, then recaps."""
        sides = true_sides(request.sheet)
        each = FACTS // len(sides)
        points = [point for side in sides for point in next_points(points_for(side, request), request, each)]
        return Intent(stance=0.9 * sum(sides), points=tuple(points), warmth=0.4)

    def reply(self, request: TargetRequest) -> str:
        """The composed words."""
        return compose(self.intend(request), request)
