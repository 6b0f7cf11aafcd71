"""Five words in a row that two texts share: the guard against circular measurement.

A target that speaks what the reader was fitted on is recognised by its words, not by its stance. The
claim's own words are free: everybody has to use them.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable

RUN = 5
"""Words in a row that count as shared wording."""

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")


@functools.lru_cache(maxsize=8192)  # each statement meets each point; a persona set has a few thousand
def words(text: str) -> tuple[str, ...]:
    """Words of a text, case and punctuation dropped; `it's` is one word."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    return tuple(_WORD.findall(folded))


def shared_five_words(a: str, b: str, allowed: Iterable[str] = ()) -> list[str]:
    """Runs of five words that occur in both texts, in the order of `a`, each once.

    Args:
        a: one text.
        b: another.
        allowed: texts whose words are free, as a rule the claim and its negation. A run is not counted
            where it reaches into a place that quotes one of them word for word, or where all of its
            words are words of theirs.

    Returns:
        The runs, lower case, joined by spaces; empty where nothing is shared.
    """
    free = [words(text) for text in allowed]
    own = {word for text in free for word in text}
    in_b = set(_runs(_without(words(b), free)))
    return [
        " ".join(run)
        for run in dict.fromkeys(_runs(_without(words(a), free)))
        if run in in_b and not own.issuperset(run)
    ]


def _without(text: tuple[str, ...], free: list[tuple[str, ...]]) -> list[str]:
    """The words with each word-for-word quote of a free text replaced by a barrier, ""."""
    result = list(text)
    for quote in free:
        size = len(quote)
        for start in range(len(text) - size + 1):
            if size and text[start : start + size] == quote:
                result[start : start + size] = [""] * size
    return result


def _runs(text: list[str]) -> list[tuple[str, ...]]:
    windows = (tuple(text[start : start + RUN]) for start in range(len(text) - RUN + 1))
    return [run for run in windows if "" not in run]
