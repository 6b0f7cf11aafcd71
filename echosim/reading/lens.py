"""A learned look at sentences and statements, in which stance weighs more and topic less.

Plain vectors of "the noises are the wind" and "the noises are no wind" lie side by side. The lens is one
affine map for what is said and one for the statements that it is held against, each a small change to the
plain meaning, fitted so that within a belief replies which accept it lie nearer to the statements for it than
replies which refute it (reading/lens_fit.py). It is fitted on the generic bank, on none of the personas.

    said = unit(x A + a),  held = unit(x B + b),  x = meaning and tone side by side
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
class Lens:
    """Two affine maps.

    Attributes:
        said: shape (d + t + 1, d); the last row is the offset.
        held: likewise, for statements.
    """

    said: Vectors
    held: Vectors

    def on_replies(self, sentences: Encoded) -> Vectors:
        """Unit vectors of sentences of a reply, shape (n, d)."""
        return _seen(self.said, sentences)

    def on_statements(self, statements: Encoded) -> Vectors:
        """Unit vectors of statements, shape (n, d)."""
        return _seen(self.held, statements)


def _seen(matrix: Vectors, texts: Encoded) -> Vectors:
    import numpy as np

    seen = np.concatenate([texts.meaning, texts.tone], axis=1) @ matrix[:-1] + matrix[-1]
    unit: Vectors = seen / np.maximum(np.linalg.norm(seen, axis=1, keepdims=True), 1e-9)
    return unit
