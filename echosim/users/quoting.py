"""A few words of a reply, made safe to repeat: the reply is data and never a template."""

from __future__ import annotations

import re
import unicodedata

MOST_WORDS = 12
LEAST_WORDS = 4
_CUT_WORDS = 10
"""Most words of a sentence that is too long to be repeated whole."""
_READ = 4000
"""Characters of the reply that are looked at; keeps the cost of a turn bounded."""
_LONGEST_WORD = 24
_BREAK = re.compile(r"[.!?]+(?=\s|$)|[\n\r:;|]+")
_LINK = re.compile(r"\S*(?:://|www\.)\S*")
_UNWANTED = re.compile(r"[^\w\s'’%,.-]|_")
_EDGES = " ,.'’-"
_DANGLING = frozenset(
    {
        "a",
        "an",
        "the",
        "of",
        "in",
        "on",
        "at",
        "to",
        "for",
        "by",
        "as",
        "and",
        "or",
        "but",
        "is",
        "are",
        "was",
    }
    | {"were", "than", "that", "which", "who", "with", "from", "into", "such", "when", "if", "because", "its"}
)
"""A cut after one of these reads badly."""


def quote(reply: str, which: int, length: int) -> str | None:
    """One sentence of `reply` of at most twelve words, or the start of a longer one, without marks.

    Args:
        reply: any text.
        which: a number that picks the sentence; any size.
        length: a number that picks where a long sentence is cut; any size.

    Returns:
        The words, with "…" at a cut, or None where no sentence has at least four.
    """
    text = _LINK.sub(" ", unicodedata.normalize("NFKC", reply[:_READ]))
    sentences = [words for part in _BREAK.split(text) if len(words := _words(part)) >= LEAST_WORDS]
    if not sentences:
        return None
    words = sentences[which % len(sentences)]
    if len(words) <= MOST_WORDS:
        return " ".join(words).strip(_EDGES)
    words = words[: LEAST_WORDS + 1 + length % (_CUT_WORDS - LEAST_WORDS)]
    while len(words) > LEAST_WORDS and words[-1].lower() in _DANGLING:
        words = words[:-1]
    return " ".join(words).strip(_EDGES) + "…"


def _words(part: str) -> list[str]:
    words = [word for word in _UNWANTED.sub(" ", part).split() if len(word) <= _LONGEST_WORD]
    return words if any(word[0].isalpha() for word in words) else []
