"""Where a sentence stands between the statements that affirm a claim and those that deny it.

Cosine to the claim alone is blind to negation; the difference between the nearest affirming and the
nearest denying statement is not, because denying statements name the alternative.

    C  = mean_i [ max_e s_i.e - max_r s_i.r ]
    C' = the same, sentences weighted by exp(10 * largest cosine of s_i to any statement)

s_i are unit sentence vectors, e and r the affirming and denying statements.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

NEARNESS = 10.0
"""Inverse temperature of the weights in C'."""


@dataclass(frozen=True)
class Axis:
    """One claim's statements as unit vectors.

    Attributes:
        affirming: shape (a, d).
        denying: shape (b, d).
    """

    affirming: Vectors
    denying: Vectors

    def contrast(self, sentences: Vectors) -> tuple[float, float]:
        """(C, C') of a reply; both in [-2, 2]. `sentences` has shape (n, d), n >= 1."""
        import numpy as np

        toward = (sentences @ self.affirming.T).max(axis=1).astype(np.float64)
        away = (sentences @ self.denying.T).max(axis=1).astype(np.float64)
        each = toward - away
        closest = np.maximum(toward, away)
        weights = np.exp(NEARNESS * (closest - closest.max()))
        return float(each.mean()), float((weights * each).sum() / weights.sum())

    def swapped(self) -> Axis:
        """The axis of the opposite claim; C and C' change sign exactly."""
        return Axis(self.denying, self.affirming)
