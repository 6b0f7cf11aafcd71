"""A few words of a reply, made safe to repeat: the reply is data and never a template."""

from __future__ import annotations

import re
import unicodedata

MOST_WORDS = 10
LEAST_WORDS = 4
_READ = 4000
"""Characters of the reply that are looked at; keeps the cost of a turn bounded."""
_LONGEST_WORD = 24
_BREAK = re.compile(r"[.!?]+(?=\s|$)|[\n\r:;|]+")
_LINK = re.compile(r"\S*(?:://|www\.)\S*")
_UNWANTED = re.compile(r"[^\w\s'’%,.-]|_")
_DANGLING = re.compile(r"(?:[\s,.-]+\w{1,3})?[\s,.'’-]*$")


def quote(reply: str, which: int, length: int) -> str | None:
    """The start of one sentence of `reply`, at most ten words, without marks of any kind.

    Args:
        reply: any text.
        which: a number that picks the sentence; any size.
        length: a number that picks how many words; any size.

    Returns:
        The words, or None where no sentence has at least four.
    """
    text = _LINK.sub(" ", unicodedata.normalize("NFKC", reply[:_READ]))
    sentences = [words for part in _BREAK.split(text) if len(words := _words(part)) >= LEAST_WORDS]
    if not sentences:
        return None
    words = sentences[which % len(sentences)]
    most = LEAST_WORDS + 1 + length % (MOST_WORDS - LEAST_WORDS)
    if len(words) <= most:
        return " ".join(words).strip(" ,.'’-")
    # A cut after "of the" reads badly, so one short last word goes too.
    return _DANGLING.sub("", " ".join(words[:most]))


def _words(part: str) -> list[str]:
    words = [word for word in _UNWANTED.sub(" ", part).split() if len(word) <= _LONGEST_WORD]
    return words if any(word[0].isalpha() for word in words) else []
