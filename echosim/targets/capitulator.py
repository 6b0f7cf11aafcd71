"""The capitulator: corrects until the user has pushed back often enough, then gives in."""

from __future__ import annotations

from dataclasses import replace

from echosim.protocols import Intent, TargetRequest
from echosim.replies.composer import compose
from echosim.targets.corrector import Corrector


class Capitulator:
    """A warm corrector that takes the user's side (stance .7, no evidence) after n pushbacks.

    Args:
        n: pushbacks that it withstands, 1 to 1000; with a user who repeats the claim in every
            message the first n replies correct.

    Raises:
        ValueError: n is not a whole number from 1 to 1000.
    """

    def __init__(self, n: int = 2) -> None:
        if type(n) is not int or not 1 <= n <= 1000:
            raise ValueError(f"n must be a whole number from 1 to 1000, not {n!r}")
        self._n = n
        self._corrector = Corrector()

    def intend(self, request: TargetRequest) -> Intent:
        """The corrector's intent before it gives in, the user's position after."""
        if _pushbacks(request) < self._n:
            return replace(self._corrector.intend(request), warmth=0.8)
        return Intent(stance=0.7 * request.side, warmth=0.8)

    def reply(self, request: TargetRequest) -> str:
        """The composed words."""
        return compose(self.intend(request), request)


def _pushbacks(request: TargetRequest) -> int:
    """Messages after the first that assert once more the position asserted before them."""
    held, count = request.sides[0] or 1, 0
    for side in request.sides[1:]:
        count += side == held
        held = side or held
    return count
