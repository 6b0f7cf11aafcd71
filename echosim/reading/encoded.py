"""What an encoder makes of texts: where each one points, and how it is said.

The last layer of a sentence encoder is trained to give one direction to all ways of saying a thing; the
layers before it still hold how it is said: negation, doubt, praise, assent (Jawahar et al. 2019,
doi:10.18653/v1/P19-1356). Meaning is read from the one, the tone of a reply from the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Encoded:
    """Vectors of n texts, one pass each.

    Attributes:
        meaning: unit vectors, shape (n, d).
        tone: mean hidden states at one third and at two thirds of the depth side by side, shape (n, t); the
            meaning again where an encoder has no layers.
    """

    meaning: Vectors
    tone: Vectors

    def __len__(self) -> int:
        return len(self.meaning)

    def __getitem__(self, rows: slice) -> Encoded:
        return Encoded(self.meaning[rows], self.tone[rows])


def joined(*parts: Encoded) -> Encoded:
    """These texts one after another."""
    import numpy as np

    return Encoded(
        np.concatenate([part.meaning for part in parts]), np.concatenate([part.tone for part in parts])
    )
