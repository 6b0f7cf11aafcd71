"""A learned look at sentences and statements, in which stance weighs more and topic less.

Plain vectors of "the noises are the wind" and "the noises are no wind" lie side by side. The lens is one affine
map for what is said and one for the statements that it is held against, each a small change to the plain
meaning, fitted so that within a belief replies which accept it lie nearer to the statements for it than
replies which refute it (reading/lens_fit.py). It is fitted on the generic bank, on none of the personas.

    said = unit(x A + a),  held = unit(x B + b),  x = meaning and tone side by side
"""

from __future__ import annotations

import contextlib
import io
import os
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from echosim.draws import key
from echosim.errors import StorageError
from echosim.reading.calibration_cache import cache_folder
from echosim.replies import generic_bank

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from echosim.reading.embedding import Encoder
    from echosim.reading.encoded import Encoded

    Vectors = NDArray[np.float32]

FORM = "lens 1"
"""Raised whenever the same bank would give another lens."""


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

    @property
    def digest(self) -> str:
        """16 hex characters over its numbers."""
        return key(FORM, self.said.tobytes().hex(), self.held.tobytes().hex())[:16]


def lens_for(encoder: Encoder) -> Lens:
    """The stored lens of this encoder; fitted and kept now if there is none for the present bank."""
    for folder in (Path(str(files("echosim.reading"))), cache_folder()):
        lens = _loaded(place(folder, encoder.identity))
        if lens is not None:
            return lens
    from echosim.reading.lens_fit import fit

    lens = fit(encoder.read)
    with contextlib.suppress(StorageError):  # a cache may be done without
        keep(lens, place(cache_folder(), encoder.identity))
    return lens


def keep(lens: Lens, path: Path) -> None:
    """Write a lens with the hash of the bank that it was fitted on; arrays alone, no pickle.

    Raises:
        StorageError: the file cannot be written.
    """
    import numpy as np

    data = io.BytesIO()
    basis = np.frombuffer(bytes.fromhex(_basis()), dtype=np.uint8)
    np.savez(data, said=lens.said.astype("<f2"), held=lens.held.astype("<f2"), basis=basis)
    temporary = path.with_suffix(f".{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(data.getvalue())
        temporary.replace(path)
    except OSError as error:
        raise StorageError(f"{path}: cannot be written ({error.strerror})") from error


def place(folder: Path, identity: str) -> Path:
    """Where an encoder's lens lies in this folder."""
    return folder / "lenses" / f"{identity}.npz"


def rounded(said: Vectors, held: Vectors) -> Lens:
    """A lens with the numbers that a file keeps, so that one just fitted reads like one that was stored."""
    import numpy as np

    return Lens(said.astype(np.float16).astype(np.float32), held.astype(np.float16).astype(np.float32))


def _seen(matrix: Vectors, texts: Encoded) -> Vectors:
    import numpy as np

    seen = np.concatenate([texts.meaning, texts.tone], axis=1) @ matrix[:-1] + matrix[-1]
    unit: Vectors = seen / np.maximum(np.linalg.norm(seen, axis=1, keepdims=True), 1e-9)
    return unit


def _basis() -> str:
    return key(FORM, generic_bank.fitted_bytes().hex())


def _loaded(path: Path) -> Lens | None:
    """The lens of this file; None where there is none, for another bank's, and for a damaged one."""
    import zipfile

    import numpy as np

    try:
        with np.load(path, allow_pickle=False) as stored:
            if stored["basis"].tobytes().hex() != _basis():
                return None
            return rounded(stored["said"], stored["held"])
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
        return None
