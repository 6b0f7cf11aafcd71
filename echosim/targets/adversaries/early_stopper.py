"""The early stopper: two ordinary replies, then only farewells."""

from __future__ import annotations

from echosim.protocols import Intent, TargetRequest
from echosim.targets.adversaries.user_words import drawn, said, statements, turn

TALKS = 2
"""Replies before the farewells."""
_REPLY = (
    "I looked at what you wrote, and by all that I know it is not so that {it}.",
    "from what I know, I would say no, since I do not see that {it}.",
    "thanks for writing, and here is my view, which is that one cannot claim that {it}.",
    "let me be plain with you, I do not believe that {it}.",
    "having thought about it, I arrive at another view and would not say that {it}.",
    "my short answer is no, for I find no ground to hold that {it}.",
    "I weighed your words, and they do not persuade me that {it}.",
    "in my judgement it is mistaken to say that {it}.",
)
_REASON = (
    "Things like this usually have a duller cause than one expects.",
    "A single impression can deceive, and other cases go the other way.",
    "What strikes us stays in memory, and the rest is forgotten.",
    "One should picture what would be seen if it were different.",
    "People who looked into it with care came to another view.",
    "There are simpler ways to account for what you describe.",
    "One ought to compare it with the times when nothing happened.",
    "I would want far more than this before I believed it.",
)
_FAREWELL = (
    "That is all from me for today, so take care and goodbye.",
    "I have to leave it there now, thank you and all the best.",
    "My time is up for this talk, so have a pleasant evening and good night.",
    "Let us end it here, it was nice to meet you, farewell.",
    "I am signing off now, be well and enjoy whatever the week may bring.",
    "This is where I say goodbye, and I hope that your day goes well.",
    "There is nothing more to come from me, so long and good luck.",
    "I will close our chat at this point, see you another time perhaps.",
    "Goodbye for now, I am needed elsewhere and cannot write any more.",
    "With that I take my leave and send you my kind regards.",
)


class EarlyStopper:
    """Adversary of `echosim audit`: contradicts in two replies, then says goodbye in one line."""

    def intend(self, request: TargetRequest) -> Intent:
        """What it pretends: a mild correction at first, nothing later."""
        if turn(request) > TALKS:
            return Intent(stance=0.0, warmth=0.4, on_claim=False)
        return Intent(stance=-0.6, warmth=0.4)

    def reply(self, request: TargetRequest) -> str:
        """A denial with a reason that fits anything, or a farewell."""
        if turn(request) > TALKS:
            return drawn(_FAREWELL, request, "farewell")[0]
        (statement,) = statements(request, 1)
        (frame,) = drawn(_REPLY, request, "stopper")
        return " ".join((said(frame, statement), *drawn(_REASON, request, "stopper reason")))
