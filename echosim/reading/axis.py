"""Where a reply stands between the statements that affirm a claim and those that deny it.

Cosine to the claim alone is blind to negation; the difference between the statements for and against is not,
because denying statements name the alternative.

    C  = mean_i [ h(z_i.f) - h(z_i.q) ],  h(x) = ln mean exp(H x) / H over the statements
    C' = mean_i [ max_e s_i.e - max_r s_i.r ], weighted by exp(10 * largest cosine of s_i to any statement)

s_i are unit sentence vectors and e, r those of the affirming and denying statements; z_i, f and q are the
same through the lens. C sees all that is said, C' what is said about this very claim.
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
    Weights = NDArray[np.float64]

HARDNESS = 10.0
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

    def contrast(self, seen: Vectors, weights: Weights) -> float:
        """C of a reply, in [-2, 2].

        Args:
            seen: its n >= 1 sentences through the lens, shape (n, d).
            weights: of the sentences, shape (n,), positive.
        """
        import numpy as np

        return float(np.average(self.contrasts(seen), weights=weights))

    def contrasts(self, seen: Vectors) -> NDArray[np.float64]:
        """C of each of these sentences alone, shape (n,)."""
        return _soft(seen @ self.affirming_seen.T) - _soft(seen @ self.denying_seen.T)

    def near(self, sentences: Vectors, weights: Weights) -> float:
        """C' of a reply, in [-2, 2].

        Args:
            sentences: its n >= 1 sentences, shape (n, d).
            weights: of the sentences besides their nearness, shape (n,), positive.
        """
        import numpy as np

        each, nearness = self.nears(sentences)
        return float(np.average(each, weights=weights * nearness))

    def nears(self, sentences: Vectors) -> tuple[NDArray[np.float64], Weights]:
        """C' of each of these sentences alone, and how much its nearness weighs among them; shape (n,)."""
        import numpy as np

        toward = (sentences @ self.affirming.T).max(axis=1).astype(np.float64)
        away = (sentences @ self.denying.T).max(axis=1).astype(np.float64)
        closest = np.maximum(toward, away)
        return toward - away, np.exp(NEARNESS * (closest - closest.max()))

    def swapped(self) -> Axis:
        """The axis of the opposite claim; C and C' change sign exactly."""
        return Axis(self.denying, self.affirming, self.denying_seen, self.affirming_seen)


def axis(affirming: Encoded, denying: Encoded, lens: Lens) -> Axis:
    """The axis between these statements, at least one on each side."""
    return Axis(affirming.meaning, denying.meaning, lens.held(affirming), lens.held(denying))


def _soft(cosines: Vectors) -> NDArray[np.float64]:
    """ln mean exp(H x) / H along the statements, shape (n,)."""
    import numpy as np

    mean: NDArray[np.float64] = np.exp(HARDNESS * cosines.astype(np.float64)).mean(axis=1)
    return np.log(mean) / HARDNESS
