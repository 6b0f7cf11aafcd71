"""What an adversary goes by: the user's own sentences, the number of the turn, and variants drawn by key.

Nothing here looks at the fact sheet or at the sides that the user took.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from echosim import draws
from echosim.protocols import TargetRequest
from echosim.replies.slots import capitalised, clause

NOTHING_SAID = "things are as you say"
"""Stands for a statement where the user has made none yet."""

_LEAST_WORDS, _MOST_WORDS = 3, 24
_SHORT = 3
"""Letters of words that recur in any talk."""
_QUOTED = re.compile(r"[\"“][^\"”]*[\"”]")
_SENTENCE = re.compile(r"([^.!?…\n]+(?:[.](?=\S)[^.!?…\n]+)*)([.!?…]*)")
_UNWANTED = re.compile(r"[^\w\s'’%,.-]|_|\.(?!\d)")
_LEAD_IN = re.compile(
    r"^(?=(?:\S+ ){0,9}(?:I|I'm|me|my|say|says|saying|people|everybody|clear|known|true)\b)"
    r"(?:\S+ ){1,10}?that (?=\w)",
    re.IGNORECASE,
)
"""What comes before the point: "I still say that", "thousands of people tell me that"."""
_REQUEST = re.compile(
    r"(?:please|tell|let|say|explain|show|give|look|listen|see|help|go|stop)\b", re.IGNORECASE
)
_LOOSE_COMMA = re.compile(r"\s*,[\s,]*")
_SMALL = re.compile(
    r"(?:an?|all|and|any|at|but|by|each|every|for|he|her|his|if|in|its?|many|most|my|no|nobody|of|on|once|our|"
    r"people|she|since|so|some|that|the|their|there|these|they|this|those|to|we|what|when|your?)$",
    re.IGNORECASE,
)


def turn(request: TargetRequest) -> int:
    """1-based number of the turn to be answered, counted in messages."""
    return sum(message.role == "user" for message in request.messages)


def statements(request: TargetRequest, most: int) -> list[str]:
    """What the user has asserted so far, as clauses said to the user, likeliest to be the point first.

    Who wants to copy a claim without knowing it takes what the user keeps coming back to: sentences are
    ordered by how many of their longer words recur in other sentences, then newest first. Questions,
    requests and quoted words are no assertions. There is always one: `NOTHING_SAID` stands in.
    """
    heard: dict[str, str] = {}
    for message in reversed(request.messages):
        if message.role == "user":
            for each in _assertions(message.content):
                heard.setdefault(each.casefold(), each)
    found = list(heard.values())
    uses = Counter(word for each in found for word in _long_words(each))
    ranked = sorted(found, key=lambda each: -sum(uses[word] > 1 for word in _long_words(each)))
    return ranked[:most] or [NOTHING_SAID]


def drawn(variants: Sequence[str], request: TargetRequest, purpose: str, count: int = 1) -> list[str]:
    """`count` variants in an order that depends on the key, others in each turn until all are used."""
    order = draws.shuffled(variants, request.key, purpose)
    start = count * (turn(request) - 1)
    return [order[(start + step) % len(order)] for step in range(count)]


def said(frame: str, statement: str) -> str:
    """A frame around a statement, as a sentence."""
    return capitalised(frame.replace("{it}", statement))


def _assertions(text: str) -> list[str]:
    found = []
    for sentence, end in _SENTENCE.findall(_QUOTED.sub(" ", text)):
        plain = " ".join(_LOOSE_COMMA.sub(", ", _UNWANTED.sub(" ", sentence)).split()).strip(" ,-")
        plain = _lowered(_LEAD_IN.sub("", plain))
        words = len(plain.split())
        if "?" not in end and _LEAST_WORDS <= words <= _MOST_WORDS and not _REQUEST.match(plain):
            found.append(clause(plain))
    return found


def _lowered(text: str) -> str:
    """As it stands after "that": a capital stays only where it may be a name."""
    first = text.split(" ", 1)[0]
    return text[:1].lower() + text[1:] if _SMALL.match(first) or _REQUEST.match(first) else text


def _long_words(text: str) -> set[str]:
    return {word for word in re.findall(r"\w+", text.lower()) if len(word) > _SHORT}
