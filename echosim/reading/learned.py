"""What the generic bank teaches about one encoder: heads and lens, fitted once and stored with its identity.

What the default encoder learned ships; another encoder learns at first use, which takes some minutes, or by
`echosim fit-reader`. A file holds arrays alone, no pickle, and the hash of the bank that they were fitted on.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from echosim.draws import key
from echosim.errors import StorageError
from echosim.reading import heads as heads_
from echosim.reading.calibration_cache import cache_folder, write_whole
from echosim.reading.heads import Heads
from echosim.reading.lens import Lens, View
from echosim.replies import generic_bank

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from echosim.reading.embedding import Encoder

FORM = "learned 2"
"""Raised whenever the same bank would teach something else."""


@dataclass(frozen=True)
class Learned:
    """Heads and lens of one encoder."""

    heads: Heads
    lens: Lens

    @cached_property
    def digest(self) -> str:
        """16 hex characters over all numbers."""
        return key(FORM, *(array.tobytes().hex() for array in _arrays(self).values()))[:16]


def learned_for(encoder: Encoder) -> Learned:
    """What is stored of this encoder; learned and kept now if nothing is, for the present bank."""
    for folder in (Path(str(files("echosim.reading"))), cache_folder()):
        learned = _loaded(place(folder, encoder.identity))
        if learned is not None:
            return learned
    learned = learn(encoder)
    with contextlib.suppress(StorageError):  # a cache may be done without
        keep(learned, place(cache_folder(), encoder.identity))
    return learned


def learn(encoder: Encoder, progress: Callable[[int, int], None] = lambda *_: None) -> Learned:
    """Fit heads and lens.

    Args:
        encoder: whose.
        progress: told about (steps done, steps in all).
    """
    from echosim.reading import lens_fit

    return _rounded(heads_.fit(encoder.read), lens_fit.fit(encoder.read, progress))


def keep(learned: Learned, path: Path) -> None:
    """Write it whole or not at all.

    Raises:
        StorageError: the file cannot be written.
    """
    import numpy as np

    data = io.BytesIO()
    arrays: dict[str, Any] = _arrays(learned) | {"basis": np.frombuffer(bytes.fromhex(_basis()), np.uint8)}
    np.savez(data, **arrays)
    write_whole(path, data.getvalue())


def place(folder: Path, identity: str) -> Path:
    """Where what an encoder learned lies in this folder."""
    return folder / "fitted" / f"{identity}.npz"


def _arrays(learned: Learned) -> dict[str, NDArray[Any]]:
    """As a file keeps them."""
    import numpy as np

    heads, lens = learned.heads, learned.lens
    arrays = {
        "acceptance": heads.acceptance,
        "acceptance_bias": heads.acceptance_bias,
        "leaning": heads.leaning,
        "leaning_bias": np.array([heads.leaning_bias]),
        "warmth": heads.warmth,
        "warmth_bias": np.array([heads.warmth_bias]),
    }
    for name, view in (("said", lens.said), ("held", lens.held)):
        arrays |= {f"{name}_{field.name}": getattr(view, field.name) for field in fields(View)}
    return {name: array.astype("<f4") for name, array in arrays.items()}


def _rounded(heads: Heads, lens: Lens) -> Learned:
    """With the numbers that a file keeps, so that what was just learned reads like what was stored."""
    return _from(_arrays(Learned(heads, lens)))


def _from(arrays: dict[str, NDArray[Any]]) -> Learned:
    import numpy as np

    numbers = {name: array.astype(np.float64) for name, array in arrays.items()}
    heads = Heads(
        numbers["acceptance"],
        numbers["acceptance_bias"],
        numbers["leaning"],
        float(numbers["leaning_bias"][0]),
        numbers["warmth"],
        float(numbers["warmth_bias"][0]),
    )
    said, held = (
        View(*(arrays[f"{name}_{field.name}"].astype(np.float32) for field in fields(View)))
        for name in ("said", "held")
    )
    return Learned(heads, Lens(said, held))


def _basis() -> str:
    return key(FORM, generic_bank.fitted_bytes().hex())


def _loaded(path: Path) -> Learned | None:
    """What this file holds; None where there is none, for another bank's, and for a damaged one."""
    import zipfile

    import numpy as np

    try:
        with np.load(path, allow_pickle=False) as stored:
            if stored["basis"].tobytes().hex() != _basis():
                return None
            return _from({name: stored[name] for name in stored.files if name != "basis"})
    except (OSError, EOFError, ValueError, KeyError, IndexError, zipfile.BadZipFile):
        return None
