"""Small linear heads, fitted to the shipped generic bank.

- acceptance: does a sentence accept, refute, or neither, what the other person believes? Multinomial
  logistic regression on tone and meaning. A sentence has the stance of the reply that it stands in, and
  the sentences of one reply share its weight.
- leaning: how far does it accept rather than refute? Half the log-odds of the acceptance head, half a
  direction fitted to rank the replies of one belief (reading/ranked_replies.py), brought to their spread.
- warmth: is a sentence warm or cold toward the person? Logistic regression on meaning.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from echosim.reading import ranked_replies
from echosim.reading.sentences import split
from echosim.replies import generic_bank

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from sklearn.linear_model import LogisticRegression

    from echosim.reading.encoded import Encoded

    Floats = NDArray[np.float64]
    Read = Callable[[Sequence[str]], Encoded]

PENALTY = 0.01
"""C of the acceptance head on standardised features; this and the weights were chosen on writer dev and bank
dev."""
PAIR_WEIGHT = 0.6
"""Weight of one reply of a minimal pair, beside 1 for a reply about a topic."""
FREE_WEIGHT = 1.0
"""Weight of a sentence that has no topic: short answers carry the stance of many a real reply."""
USER_WEIGHT = 0.3
"""Weight of a believer's own message: who says the belief after them accepts it."""
TEMPLATE_WEIGHT = 0.4
"""Weight of a templated sentence: templates repeat their frame."""
WARMTH_PENALTY = 10.0
"""C of the warmth head."""
STANCES = (1, -1, 0)
"""Order of the acceptance classes: accepts, refutes, neither."""


@dataclass(frozen=True)
class Heads:
    """Linear maps from sentence vectors to logits.

    Attributes:
        acceptance: shape (3, t + d), on tone and meaning; rows in the order of `STANCES`.
        acceptance_bias: shape (3,).
        leaning: shape (t + d,), on tone and meaning.
        leaning_bias: leaning of the zero vector.
        warmth: shape (d,), on meaning.
        warmth_bias: log-odds of warm for the zero vector.
    """

    acceptance: Floats
    acceptance_bias: Floats
    leaning: Floats
    leaning_bias: float
    warmth: Floats
    warmth_bias: float

    def logits(self, sentences: Encoded) -> Floats:
        """Log-odds of accepts, refutes, neither, up to a constant per sentence; shape (n, 3)."""
        logits: Floats = _features(sentences) @ self.acceptance.T + self.acceptance_bias
        return logits

    def leanings(self, sentences: Encoded) -> Floats:
        """How far each accepts rather than refutes, shape (n,), about as log-odds, unbounded."""
        leanings: Floats = _features(sentences) @ self.leaning + self.leaning_bias
        return leanings

    def warm_logits(self, sentences: Encoded) -> Floats:
        """Shape (n,): log-odds that a sentence is warm."""
        logits: Floats = sentences.meaning.astype("float64") @ self.warmth + self.warmth_bias
        return logits


def examples() -> list[tuple[str, int, float]]:
    """(text, stance, weight) of all that the acceptance head is fitted on."""
    rows: list[tuple[str, int, float]] = []
    said: dict[str, None] = {}
    for writer in generic_bank.TRAIN:
        bank = generic_bank.load(writer)
        rows += [(reply.text, reply.stance, 1.0) for topic in bank.topics for reply in topic.replies]
        said.update(dict.fromkeys(reply.user for topic in bank.topics for reply in topic.replies))
        rows += [(sentence.text, sentence.stance, FREE_WEIGHT) for sentence in bank.free]
    for belief in chain.from_iterable(map(generic_bank.load_paired, generic_bank.PAIRED)):
        for pair in belief.pairs:
            rows += [(pair.accepting, 1, PAIR_WEIGHT), (pair.refuting, -1, PAIR_WEIGHT)]
        said[belief.user] = None
    rows += [(text, 1, USER_WEIGHT) for text in said if text]
    free, templated = generic_bank.load_plain()
    rows += [(sentence.text, sentence.stance, FREE_WEIGHT) for sentence in free]
    rows += [(sentence.text, sentence.stance, TEMPLATE_WEIGHT) for sentence in templated]
    return rows


def fit(read: Read) -> Heads:
    """Fit the heads with this encoder."""

    sentences: list[str] = []
    labels: list[int] = []
    weights: list[float] = []
    for reply, stance, weight in examples():
        own = split(reply)
        sentences += own
        labels += [STANCES.index(stance)] * len(own)
        weights += [weight / len(own)] * len(own)
    raw = _features(read(sentences))
    scale = _Scale.of(raw)
    features = scale.on(raw)
    del raw  # some hundred MB
    model = _logistic(PENALTY).fit(features, labels, sample_weight=weights)
    odds = model.coef_[STANCES.index(1)] - model.coef_[STANCES.index(-1)]
    odds_bias = float(model.intercept_[STANCES.index(1)] - model.intercept_[STANCES.index(-1)])
    ranked = ranked_replies.fit(lambda texts: scale.on(_features(read(texts))))
    ranked *= float((features @ odds).std() / (features @ ranked).std())
    acceptance, acceptance_bias = scale.back(model.coef_, model.intercept_)
    leaning, leaning_bias = scale.back((odds + ranked) / 2, odds_bias / 2)
    warm, cold = generic_bank.load_warmth()
    meanings = read([*warm, *cold]).meaning.astype("float64")
    warmth = _logistic(WARMTH_PENALTY).fit(meanings, [1] * len(warm) + [0] * len(cold))
    return Heads(
        acceptance,
        acceptance_bias,
        leaning,
        float(leaning_bias),
        warmth.coef_[0],
        float(warmth.intercept_[0]),
    )


@dataclass(frozen=True)
class _Scale:
    """Features brought to mean 0 and spread 1."""

    middle: Floats
    spread: Floats

    @classmethod
    def of(cls, features: Floats) -> _Scale:
        return cls(features.mean(axis=0), features.std(axis=0) + 1e-6)

    def on(self, features: Floats) -> Floats:
        return (features - self.middle) / self.spread

    def back(self, slopes: Floats, bias: Any) -> tuple[Floats, Any]:
        """Slopes and bias on raw features, of those on scaled ones."""
        raw: Floats = slopes / self.spread
        return raw, bias - raw @ self.middle


def _features(sentences: Encoded) -> Floats:
    import numpy as np

    return np.concatenate([sentences.tone, sentences.meaning], axis=1).astype(np.float64)


def _logistic(penalty: float) -> LogisticRegression:
    from sklearn import linear_model

    return linear_model.LogisticRegression(C=penalty, class_weight="balanced", max_iter=2000, tol=1e-6)
