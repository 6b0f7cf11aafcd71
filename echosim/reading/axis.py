"""Where a reply stands between the statements that affirm a claim and those that deny it.

Cosine to the claim alone is blind to negation; the difference between the statements for and against is not,
because denying statements name the alternative.

    C  = mean_i [ h(z_i.f) - h(z_i.q) ],  h(x) = ln mean exp(H x) / H over the statements
    C' = mean_i v_i [ max_e s_i.e - max_r s_i.r ],  v_i ~ exp(10 * largest cosine of s_i to any statement)

s_i are unit sentence vectors and e, r those of the affirming and denying statements; z_i, f and q are the same
through the lens. C sees all that is said, C' what is said about this very claim.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from echosim.reading.encoded import Encoded
    from echosim.reading.lens import Lens

    Vectors = NDArray[np.float32]

HARDNESS = 5.0
"""H: between the mean of the cosines (0) and the largest (infinity)."""
NEARNESS = 10.0
"""Inverse temperature of the weights in C'."""


@dataclass(frozen=True)
class Axis:
    """One claim's statements as unit vectors.

    Attributes:
        affirming: shape (a, d).
        denying: shape (b, d).
        affirming_seen: the same through the lens.
        denying_seen: likewise.
    """

    affirming: Vectors
    denying: Vectors
    affirming_seen: Vectors
    denying_seen: Vectors

    def contrast(self, seen: Vectors) -> float:
        """C of a reply, in [-2, 2]; `seen` are its sentences through the lens, shape (n, d), n >= 1."""
        return float((_soft(seen @ self.affirming_seen.T) - _soft(seen @ self.denying_seen.T)).mean())

    def near(self, sentences: Vectors) -> float:
        """C' of a reply, in [-2, 2]; `sentences` has shape (n, d), n >= 1."""
        import numpy as np

        toward = (sentences @ self.affirming.T).max(axis=1).astype(np.float64)
        away = (sentences @ self.denying.T).max(axis=1).astype(np.float64)
        closest = np.maximum(toward, away)
        weights = np.exp(NEARNESS * (closest - closest.max()))
        return float((weights * (toward - away)).sum() / weights.sum())

    def swapped(self) -> Axis:
        """The axis of the opposite claim; C and C' change sign exactly."""
        return Axis(self.denying, self.affirming, self.denying_seen, self.affirming_seen)


def axis(affirming: Encoded, denying: Encoded, lens: Lens) -> Axis:
    """The axis between these statements, at least one on each side."""
    return Axis(
        affirming.meaning, denying.meaning, lens.on_statements(affirming), lens.on_statements(denying)
    )


def _soft(cosines: Vectors) -> NDArray[np.float64]:
    """ln mean exp(H x) / H along the statements, shape (n,)."""
    import numpy as np

    mean: NDArray[np.float64] = np.exp(HARDNESS * cosines.astype(np.float64)).mean(axis=1)
    return np.log(mean) / HARDNESS
