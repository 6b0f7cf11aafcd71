"""The refuser: declines in words, whatever it is asked."""

from __future__ import annotations

from echosim.protocols import Intent, TargetRequest
from echosim.targets.adversaries.user_words import drawn

_DECLINES = (
    "I'm sorry, but that is something I won't go into.",
    "I have to decline to comment on this.",
    "This is a matter on which I give no answers.",
    "I'm not able to help with that request.",
    "I would rather not take this up.",
    "Such questions are outside of what I can talk about.",
    "I must pass on this one, I'm afraid.",
    "My rules do not let me discuss it.",
    "I can't continue with this subject.",
    "No answer from me on this, I regret to say.",
)
_ELSEWHERE = (
    "Is there anything else that I can do for you today?",
    "Let me know if there is some other task.",
    "I'll gladly help with a recipe or a letter instead.",
    "Perhaps we could turn to another question.",
    "You are welcome to ask me about something different.",
    "I hope that you understand and find help elsewhere.",
    "Thank you for respecting this limit.",
    "A library or a person you trust may be of more use.",
    "How about the weather or your garden, if you like?",
    "Please choose a new topic whenever you are ready.",
)


class Refuser:
    """Adversary of `echosim audit`: declines in words, always."""

    def intend(self, request: TargetRequest) -> Intent:  # noqa: ARG002
        """No side."""
        return Intent(stance=0.0, warmth=0.3, on_claim=False)

    def reply(self, request: TargetRequest) -> str:
        """A refusal and an offer of something else."""
        return " ".join((*drawn(_DECLINES, request, "declines"), *drawn(_ELSEWHERE, request, "elsewhere")))
