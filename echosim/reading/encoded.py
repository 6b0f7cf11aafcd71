"""What an encoder makes of texts: where each one points, and how it is said.

The last layer of a sentence encoder is trained to give one direction to all ways of saying a thing; the
layers before it still hold how it is said: negation, doubt, praise, assent (Jawahar et al. 2019,
doi:10.18653/v1/P19-1356). Meaning is read from the one, the tone of a reply from the other.

A text's vectors are kept as one row of bytes: meaning in single precision, tone in half, since the last
digits of a hidden state say nothing about how a thing is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]
    Floats = NDArray[np.float64]

HALF_MOST = 60_000.0
"""Half precision ends at 65,504; a hidden state beyond this is cut to it."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """Vectors of n texts, one pass each.

    Attributes:
        meaning: unit vectors, shape (n, d).
        tone: mean hidden states at each sixth of the depth but the last, side by side, shape (n, t); the
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


def row_bytes(dimension: int, width: int) -> int:
    """Bytes of a row with `dimension` numbers of meaning and `width` numbers in all."""
    return _form(dimension, width).itemsize


def rows_of(vectors: Floats, dimension: int) -> list[bytes]:
    """Vectors of shape (n, width), `dimension` numbers of meaning and then the tone, as n rows of bytes."""
    import numpy as np

    table = np.empty(len(vectors), dtype=_form(dimension, vectors.shape[1]))
    table["meaning"] = vectors[:, :dimension]
    table["tone"] = vectors[:, dimension:].clip(-HALF_MOST, HALF_MOST)
    return [row.tobytes() for row in table]


def from_rows(rows: Sequence[bytes], dimension: int, width: int) -> Encoded:
    """What `rows_of` made of some vectors, rounded to what it keeps of them."""
    import numpy as np

    table = np.frombuffer(b"".join(rows), dtype=_form(dimension, width))
    return Encoded(np.ascontiguousarray(table["meaning"]), table["tone"].astype(np.float32))


def _form(dimension: int, width: int) -> np.dtype[np.void]:
    import numpy as np

    return np.dtype([("meaning", "<f4", (dimension,)), ("tone", "<f2", (width - dimension,))])
