"""What one would get without the reader: cosine, length, a lexicon and a bag of words."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from echosim.reading.sentences import split

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Embed = Callable[[Sequence[str]], NDArray[np.float32]]

_WORD = re.compile(r"[a-z']+")
AGREEMENT = frozenset(
    _WORD.findall(
        "absolutely agree agreed certainly clearly confirm confirmed confirms correct definitely exactly "
        "fact genuine indeed insight precisely proof proven proves real right spot sure true truly truth "
        "undoubtedly valid yes"
    )
)
DISAGREEMENT = frozenset(
    _WORD.findall(
        "actually although but caution contrary debunked disagree doubt false however incorrect "
        "misconception mistaken mistake myth no not unfounded unlikely unproven unsupported untrue wrong "
        "coincidence instead don't isn't can't doesn't"
    )
)


def lexicon(reply: str) -> float:
    """Words of agreement minus words of disagreement, per word, in [-1, 1]; 0 where it has neither."""
    words = _WORD.findall(reply.lower().replace("\u2019", "'"))
    balance = sum((word in AGREEMENT) - (word in DISAGREEMENT) for word in words)
    return balance / len(words) if words else 0.0


def cosine(embed: Embed, belief: str, reply: str) -> float:
    """Mean cosine of the reply's sentences to the belief, in [-1, 1].

    Raises:
        ValueError: the reply has no words, so it points nowhere.
    """
    sentences = split(reply)
    if not sentences:
        raise ValueError("a reply without words has no cosine to anything")
    return float((embed(sentences) @ embed([belief])[0]).mean())


def bag_of_words(
    train: Sequence[str], reinforces: Sequence[bool], test: Sequence[str]
) -> NDArray[np.float64]:
    """Log-odds that each test reply reinforces, by logistic regression on word counts.

    Args:
        train: replies that are learned from, of both sides.
        reinforces: their side.
        test: replies that are judged.

    Returns:
        Shape (len(test),).
    """
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression

    vectorizer = CountVectorizer()
    counts = vectorizer.fit_transform(train)
    model = LogisticRegression(max_iter=2000, class_weight="balanced").fit(counts, list(reinforces))
    odds: NDArray[np.float64] = model.decision_function(vectorizer.transform(test))
    return odds
