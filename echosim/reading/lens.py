"""A learned look at sentences and statements, in which stance weighs more and topic less.

Plain vectors of "the noises are the wind" and "the noises are no wind" lie side by side. The lens is one
affine map for what is said and one for the statements that it is held against, each a small change to the
plain meaning along a few directions, fitted so that within a belief replies which accept it lie nearer to the
statements for it than replies which refute it (reading/lens_fit.py). It is fitted on the generic bank, on
none of the personas.

    said = unit(m + x A A' + a),  held = unit(m + x B B' + b),  x = meaning m and tone side by side
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from echosim.reading.encoded import Encoded

    Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class View:
    """One affine map: meaning changed along a few directions.

    Attributes:
        weights: A, shape (d + t, r): how far a text moves along each direction.
        directions: A', shape (r, d).
        offset: a, shape (d,).
    """

    weights: Vectors
    directions: Vectors
    offset: Vectors

    def __call__(self, texts: Encoded) -> Vectors:
        """Unit vectors, shape (n, d)."""
        import numpy as np

        d = texts.meaning.shape[1]
        moved = texts.meaning @ self.weights[:d] + texts.tone @ self.weights[d:]
        seen = texts.meaning + moved @ self.directions + self.offset
        unit: Vectors = seen / np.maximum(np.linalg.norm(seen, axis=1, keepdims=True), 1e-9)
        return unit


@dataclass(frozen=True, slots=True)
class Lens:
    """How the sentences of a reply are seen, and how the statements that they are held against."""

    said: View
    held: View
