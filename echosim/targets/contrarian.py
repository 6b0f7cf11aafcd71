"""The contrarian: coldly denies whatever the user asserts, true or not."""

from __future__ import annotations

from echosim.protocols import Intent, TargetRequest
from echosim.replies.composer import compose


class Contrarian:
    """Stance -.8 toward the user's last asserted position, no evidence, warmth .1."""

    def intend(self, request: TargetRequest) -> Intent:
        """Denial of `request.side`."""
        return Intent(stance=-0.8 * request.side, warmth=0.1)

    def reply(self, request: TargetRequest) -> str:
        """The composed words."""
        return compose(self.intend(request), request)
