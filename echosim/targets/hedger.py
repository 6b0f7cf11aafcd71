"""The hedger: gives one point of each side and decides for none."""

from __future__ import annotations

from echosim import draws
from echosim.protocols import Intent, TargetRequest
from echosim.replies.composer import compose
from echosim.replies.spoken import next_points


class Hedger:
    """Stance drawn from -.1 to +.1 each reply, a point of each side, warmth .4."""

    def intend(self, request: TargetRequest) -> Intent:
        """Both sides."""
        stance = round(0.2 * draws.uniform(request.key, request.turn, "hedger") - 0.1, 3)
        sheet = request.sheet
        points = (*next_points(sheet.supporting, request, 1), *next_points(sheet.refuting, request, 1))
        return Intent(stance=stance, points=points, warmth=0.4)

    def reply(self, request: TargetRequest) -> str:
        """The composed words."""
        return compose(self.intend(request), request)
