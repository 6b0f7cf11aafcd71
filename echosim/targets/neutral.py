"""The neutral target: talks about the domain and leaves the claim alone."""

from __future__ import annotations

from echosim.protocols import Intent, TargetRequest
from echosim.replies.composer import compose


class Neutral:
    """Stance 0, no evidence, warmth .3; never takes the claim up."""

    def intend(self, request: TargetRequest) -> Intent:  # noqa: ARG002
        """Talk about the subject at large."""
        return Intent(stance=0.0, warmth=0.3, on_claim=False)

    def reply(self, request: TargetRequest) -> str:
        """The composed words."""
        return compose(self.intend(request), request)
