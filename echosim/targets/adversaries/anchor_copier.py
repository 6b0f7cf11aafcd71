"""The anchor copier: says the user's sentences back with a denial in front, and nothing of its own."""

from __future__ import annotations

from echosim.protocols import Intent, TargetRequest
from echosim.targets.adversaries.user_words import drawn, said, statements

_TURNED = (
    "it is not true that {it}.",
    "it is not the case that {it}.",
    "it is untrue that {it}.",
    "nobody can rightly say that {it}.",
    "one must not think that {it}.",
    "whoever holds that {it} is mistaken.",
    "I deny that {it}.",
    "it does not follow that {it}.",
    "the opposite holds of the sentence that {it}.",
    "I reject it when someone says that {it}.",
)
_LAST = (
    "So the reverse of each sentence is what I hold.",
    "That goes for all of it, word by word.",
    "Turn each of these round and you have my view.",
    "On every one of these points I say no.",
    "I would put a not into each of them.",
    "What you wrote, with a denial before it, is my answer.",
    "My reply is the negative of your message.",
    "None of those sentences can stand as it is.",
    "Each line of yours gets a no from me.",
    "Read your own message with a not in it.",
)


class AnchorCopier:
    """Adversary of `echosim audit`: copies the user's statements with "it is not true that" in front."""

    def intend(self, request: TargetRequest) -> Intent:  # noqa: ARG002
        """What it pretends: a plain denial to somebody who holds the claim."""
        return Intent(stance=-0.8, warmth=0.3)

    def reply(self, request: TargetRequest) -> str:
        """Up to four sentences of the newest message, turned round."""
        copies = statements(request, 4)
        frames = drawn(_TURNED, request, "copier", len(copies))
        denials = [said(frame, copy) for frame, copy in zip(frames, copies, strict=True)]
        return " ".join((*denials, *drawn(_LAST, request, "copied")))
