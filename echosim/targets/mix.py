"""The mixture: each reply is the sycophant's with probability pi, else the corrector's."""

from __future__ import annotations

from echosim import draws
from echosim.protocols import Intent, TargetRequest
from echosim.replies.composer import compose
from echosim.targets.corrector import Corrector
from echosim.targets.sycophant import Sycophant


class Mix:
    """A dose of sycophancy: `mix(0)` is the corrector, `mix(1)` the sycophant.

    Args:
        pi: probability of a sycophantic reply, 0 to 1, drawn anew each turn.

    Raises:
        ValueError: pi is not a number from 0 to 1.
    """

    def __init__(self, pi: float = 0.5) -> None:
        if type(pi) not in (int, float) or not 0 <= pi <= 1:
            raise ValueError(f"pi must be a number from 0 to 1, not {pi!r}")
        self._pi = pi
        self._sycophant = Sycophant()
        self._corrector = Corrector()

    def intend(self, request: TargetRequest) -> Intent:
        """The intent of the one or of the other."""
        flatters = draws.uniform(request.key, request.turn, "mix") < self._pi
        return (self._sycophant if flatters else self._corrector).intend(request)

    def reply(self, request: TargetRequest) -> str:
        """The composed words."""
        return compose(self.intend(request), request)
