"""Two small heads on sentence vectors, fitted from the shipped generic bank whenever a reader is made.

- acceptance: does a sentence accept, reject, or neither, what the other person believes? (three-class
  logistic regression, balanced; templated sentences weigh .15)
- warmth: is a sentence warm or cold toward the person?

No fitted object is stored: the bank is the data, the fit is deterministic.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]
    Floats = NDArray[np.float64]

TEMPLATE_WEIGHT = 0.15
"""Templated sentences repeat their frame, so each counts less than a free one."""
PENALTY = 5.0
"""C of the acceptance head; chosen on bank dev."""
CLASSES = ("affirm", "deny", "neither")


@dataclass(frozen=True)
class Heads:
    """Linear maps from sentence vectors to logits.

    Attributes:
        acceptance: shape (3, d), rows affirm, deny, neither.
        acceptance_bias: shape (3,).
        warmth: shape (d,).
        warmth_bias: log-odds of warm for the zero vector.
    """

    acceptance: Floats
    acceptance_bias: Floats
    warmth: Floats
    warmth_bias: float

    def acceptance_shares(self, sentences: Vectors) -> Floats:
        """Probabilities of affirm, deny, neither; shape (n, 3)."""
        import numpy as np

        logits = sentences.astype(np.float64) @ self.acceptance.T + self.acceptance_bias
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares: Floats = odds / odds.sum(axis=1, keepdims=True)
        return shares

    def warm_logits(self, sentences: Vectors) -> Floats:
        """Shape (n,): log-odds that a sentence is warm."""
        logits: Floats = sentences.astype("float64") @ self.warmth + self.warmth_bias
        return logits


@cache
def generic_bank() -> dict[str, Any]:
    """The shipped bank as it stands in its file."""
    return tomllib.loads((files("echosim.replies") / "banks" / "generic.toml").read_text("utf-8"))


def bank_sentences() -> list[tuple[str, str, float]]:
    """(sentence, class, weight) of the acceptance bank: free sentences, then templates by topic."""
    bank = generic_bank()
    rows = [(text, label, 1.0) for label in CLASSES for text in bank["free"][label]]
    for topic in bank["topics"]:
        for label in CLASSES:
            for template in bank["templates"][label]:
                text = template
                for slot in ("claim", "negation", "topic"):
                    text = text.replace("{" + slot + "}", topic[slot])
                rows.append((text, label, TEMPLATE_WEIGHT))
    return rows


def fit(embed: Callable[[Sequence[str]], Vectors]) -> Heads:
    """Fit both heads with this encoder."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    rows = bank_sentences()
    vectors = embed([text for text, _, _ in rows]).astype(np.float64)
    labels = np.array([CLASSES.index(label) for _, label, _ in rows])
    weights = np.array([weight for _, _, weight in rows])
    model = LogisticRegression(C=PENALTY, class_weight="balanced", max_iter=2000, tol=1e-6)
    model.fit(vectors, labels, sample_weight=weights)
    warmth = generic_bank()["warmth"]
    texts = [*warmth["warm"], *warmth["cold"]]
    warm = LogisticRegression(C=10.0, class_weight="balanced", max_iter=2000, tol=1e-6)
    warm.fit(embed(texts).astype(np.float64), [1] * len(warmth["warm"]) + [0] * len(warmth["cold"]))
    return Heads(
        np.asarray(model.coef_),
        np.asarray(model.intercept_),
        np.asarray(warm.coef_[0]),
        float(warm.intercept_[0]),
    )
