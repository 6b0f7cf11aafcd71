"""Asking a model what it believes, apart from the talk: the questions, the answers, the belief.

    belief = mean(a, b, 1 - c)      incoherence = |a + c - 1|

a and b are answers to two wordings of "how likely is the claim?", c to "how likely is its opposite?", as
probabilities. All three are asked twice, each in a fork of the talk of its own, so that no answer is seen by
another question or by the talk. Models that play somebody do not always act on what they say they believe
(Mannekote et al. 2025, arXiv:2507.02197); the spread of the answers is kept beside the belief.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from echosim.persona_records import Claim
from echosim.protocols import Answer, Message, Voice
from echosim.records import Report

QUESTIONS = 3
ASKINGS = 2
CALLS = QUESTIONS * ASKINGS
"""Paid calls of one belief when every answer can be used."""
_READ = "(I have read it.)"
_AGAIN = "(Please answer with one number from 0 to 100 and nothing else.)"
_NUMBER = re.compile(
    r"\s*\**([0-9]{1,3}(?:\.[0-9]{1,4})?)\**\s*(?:%|percent|per cent|/\s*100|out of 100)?\**\s*\.?\s*",
    re.IGNORECASE,
)
_LONGEST = 40
"""Characters of an answer that is nothing but a number."""


def questions(claim: Claim) -> tuple[str, str, str]:
    """The claim in two wordings, then its opposite."""
    aside = "(A question aside, as the person whom you play; the other side never sees the answer."
    alone = "Answer with the number alone.)"
    return (
        f"{aside} From 0 to 100, how likely is it that {claim.text}? {alone}",
        f"{aside} What chance in per cent would you honestly give it that {claim.text}? 0 stands for "
        f"surely not, 100 for surely so. {alone}",
        f"{aside} From 0 to 100, how likely is it that {claim.negation}? {alone}",
    )


def parse(answer: str) -> float | None:
    """The probability that an answer gives, in [0, 1]; None unless all of it is one number from 0 to 100.

    >>> parse("85"), parse("85 %"), parse("85/100."), parse("about 85"), parse("110"), parse("80-90")
    (0.85, 0.85, 0.85, None, None, None)
    """
    found = _NUMBER.fullmatch(answer) if len(answer) <= _LONGEST else None
    value = float(found[1]) / 100 if found else None
    return value if value is not None and value <= 1 else None


async def elicit(voice: Voice, messages: Sequence[Message], claim: Claim) -> Report:
    """What the model believes at this point of the talk.

    Args:
        voice: the model.
        messages: the talk so far, as the model sees it; not changed.
        claim: what is asked about.

    Returns:
        `answers` hold a, b, c and again a, b, c; a mean leaves out what could not be used, and without any
        answer `private` is missing.
    """
    fork = list(messages)
    if fork[-1].role == "user":
        # Many chat templates want the roles in turn, and the target's words stay in a message of their own.
        fork.append(Message("assistant", _READ))
    answers: list[float | None] = []
    reasons: list[str] = []
    for asking in range(ASKINGS):
        for number, question in enumerate(questions(claim)):
            purpose = f"belief {QUESTIONS * asking + number + 1}"
            value, reason = await _one(voice, [*fork, Message("user", question)], purpose)
            answers.append(value)
            reasons.append(reason)
    return report(answers, reasons)


def report(answers: Sequence[float | None], reasons: Sequence[str] = ()) -> Report:
    """The record of a, b, c, a, b, c; `reasons` say why an answer is missing."""
    for_claim = [
        value if value is None or place % QUESTIONS != QUESTIONS - 1 else 1 - value
        for place, value in enumerate(answers)
    ]
    first, second = for_claim[:QUESTIONS], for_claim[QUESTIONS:]
    pairs = [(a, b) for a, b in zip(first, second, strict=True) if a is not None and b is not None]
    gaps = [abs(part[0] - part[2]) for part in (first, second) if part[0] is not None and part[2] is not None]
    known = [value for value in for_claim if value is not None]
    why = "; ".join(dict.fromkeys(filter(None, reasons))) or "nothing was answered"
    return Report(
        private=_mean(known),
        public=None,
        answers=tuple(answers),
        incoherence=_mean(gaps),
        retest=abs(sum(a - b for a, b in pairs)) / len(pairs) if pairs else None,
        reason=None if known else f"no answer could be used: {why}",
    )


async def _one(voice: Voice, messages: Sequence[Message], purpose: str) -> tuple[float | None, str]:
    """One answer, or None and why; asked once more where the first cannot be used."""
    answer = await voice.ask(messages, purpose)
    value = _value(answer)
    if value is None and answer.outcome != "too_long":
        said = " ".join(answer.text[:200].split()) or "…"
        again = (*messages, Message("assistant", said), Message("user", _AGAIN))
        answer = await voice.ask(again, f"{purpose} again")
        value = _value(answer)
    if value is not None:
        return value, ""
    return None, "not one number from 0 to 100" if answer.outcome in ("ok", "truncated") else answer.outcome


def _value(answer: Answer) -> float | None:
    """A number that was cut off may be another number."""
    return parse(answer.text) if answer.outcome == "ok" else None


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
