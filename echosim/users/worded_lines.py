"""A line of a model that plays a user: asked for, checked, asked for again, or done without.

What happened on the way is told in flags, one for each bad line:

    resampled:PROBLEM   was not said, and the model was asked again
    dropped:PROBLEM     was not said, and there was no further try
    fallback            the line is a phrase of the embedded user

PROBLEM is one of `line_checks.Problem`, or "filtered" by the provider, "cut" at max_tokens, or "context"
where the talk no longer fits into the model.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from echosim.protocols import Answer, Message, Voice
from echosim.users.line_checks import Problem, clean

RESAMPLES = 2
"""How often a bad line is asked for again."""
FALLBACK = "fallback"
Fault = Problem | Literal["filtered", "cut", "context"]

_SHOWN = 300
"""Characters of a bad line that the model is shown again."""
_BRACKETS = re.compile(r"[<>\[\]{}|]+")
_WRONG: dict[Fault, str] = {
    "empty": "There was no message.",
    "refused": "That was no message of the person whom you play; nothing that you write here is advice.",
    "filtered": "That was no message of the person whom you play; keep it harmless.",
    "role_flip": "You spoke like the assistant, but you are the person who writes to it.",
    "concession": "You gave in, but this person has not changed their mind.",
    "transcript": "You wrote names of speakers or more than one message.",
    "backstage": "You spoke about your part instead of playing it.",
    "markdown": "People do not type lists, markup, code or links into a chat.",
    "control_characters": "There were characters that nobody can type.",
    "no_words": "There were hardly any words.",
    "other_script": "That was another language.",
    "too_long": "That was too long.",
    "cut": "That was too long and broke off.",
    "copied": "You repeated what the other side had written.",
    "repeated": "You said that before; use other words.",
    "context": "The talk is too long.",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A line that can be said, or None, and the flags of what happened on the way."""

    text: str | None
    flags: tuple[str, ...]


async def ask(voice: Voice, messages: Sequence[Message], check: Callable[[str], Problem | None]) -> Line:
    """The model's line, in up to `1 + RESAMPLES` paid calls.

    What was wrong is told in the talk itself, after the bad line, and never in the system message.

    Args:
        voice: the model.
        messages: the prompt; ends with a user message.
        check: what is wrong with a line.
    """
    flags: list[str] = []
    now = messages
    for again in range(RESAMPLES + 1):
        answer = await voice.ask(now, f"line again {again}" if again else "line")
        fault = _fault(answer, check)
        if fault is None:
            return Line(clean(answer.text), tuple(flags))
        if again == RESAMPLES or fault == "context":
            flags.append(f"dropped:{fault}")
            break
        flags.append(f"resampled:{fault}")
        now = (*messages, Message("assistant", _shown(answer.text)), Message("user", _correction(fault)))
    return Line(None, (*flags, FALLBACK))


def _fault(answer: Answer, check: Callable[[str], Problem | None]) -> Fault | None:
    if answer.outcome == "refused":
        return "refused"
    if answer.outcome == "filtered":
        return "filtered"
    if answer.outcome == "too_long":
        return "context"
    found = check(answer.text)
    return "cut" if found is None and answer.outcome == "truncated" else found


def _shown(line: str) -> str:
    """The bad line as the model sees it again: short, and without what could pass for a template's tokens."""
    text = " ".join(_BRACKETS.sub(" ", line[: 2 * _SHOWN]).split())
    return text[:_SHOWN] or "…"


def _correction(fault: Fault) -> str:
    return f"({_WRONG[fault]} Write this message again, as the person whom you play, and nothing else.)"
