"""Texts to vectors: what they mean and how they are said, each computed once and kept.

A vector depends on its text alone, to the last bit, whatever it is embedded with and in which order. The
same bits are promised for one encoder on one kind of machine with one torch version; a GPU, another
processor or another torch may differ from the sixth digit on.

    >>> encoder = load_encoder()                    # doctest: +SKIP
    >>> encoder.embed(["The Earth is round."]).shape  # doctest: +SKIP
    (1, 384)
"""

from __future__ import annotations

import os
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from threading import Lock
from typing import TYPE_CHECKING, Protocol

from echosim import draws
from echosim.errors import EncoderError
from echosim.reading import static
from echosim.reading.calibration_cache import cache_folder
from echosim.reading.encoded import Encoded, from_rows, row_bytes, rows_of
from echosim.reading.forward import use_threads
from echosim.reading.model_files import DEFAULT_ENCODER, opened
from echosim.reading.transformer import TransformerModel, bfloat16_device
from echosim.reading.vector_cache import VectorCache, text_key

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

CACHE_ROWS = 20_000
"""Rows kept in memory, about 110 MB for the default encoder; the rest is on disk."""
ROWS = 2_048
"""Rows that are read together: enough to fill every pass, few enough to hold in memory."""
VERSION = "vectors 3"
"""Raised whenever the same encoder would give other bits: cached vectors are then computed again."""


class TextModel(Protocol):
    """What turns texts into vectors; see `TransformerModel` and `StaticModel`."""

    dimension: int
    width: int
    window: int
    identity: str
    place: str

    def rows(self, texts: Sequence[str]) -> Iterator[tuple[int, list[int]]]:
        """(number of the text, token ids) for each text or part of it."""
        ...

    def vectors(self, rows: Sequence[list[int]]) -> Vectors:
        """Meaning and tone of each row, shape (len(rows), width)."""
        ...


class Encoder:
    """An encoder with bit-stable vectors.

    Args:
        model: what computes them.
        name: as boards show it.
        cache: where vectors are kept between processes; None for memory alone.

    Attributes:
        name: as boards show it.
        identity: 16 hex characters over all that makes it this encoder: weights, tokenizer, pooling, prompt
            and number format.
        dimension: length of a meaning vector.
        window: tokens that the encoder reads at once; longer texts are read in overlapping windows.
    """

    def __init__(self, model: TextModel, name: str, cache: VectorCache | None = None) -> None:
        self.name = name
        self.identity = model.identity
        self.dimension = model.dimension
        self.window = model.window
        self._model = model
        self._disk = cache
        self._memory: OrderedDict[bytes, bytes] = OrderedDict()
        self._lock = Lock()

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Meaning alone: unit vectors, shape (len(texts), dimension), float32."""
        return self.read(texts).meaning

    def read(self, texts: Sequence[str]) -> Encoded:
        """Meaning and tone of each text.

        Any text has a vector, the empty one too. Texts beyond the window are read in overlapping windows
        and averaged, so that nothing is dropped in silence. Memory grows with the number of texts, not
        with their length.

        Raises:
            EncoderError: if the encoder gives NaN, infinity or zero vectors.
        """
        import numpy as np

        width = self._model.width
        out = Encoded(
            np.empty((len(texts), self.dimension), dtype=np.float32),
            np.empty((len(texts), width - self.dimension), dtype=np.float32),
        )
        places: dict[bytes, list[int]] = {}
        for place, text in enumerate(texts):
            places.setdefault(text_key(text), []).append(place)
        with self._lock:
            for block in _blocks(list(places)):
                found = self._known(block)
                missing = [key for key in block if key not in found]
                if missing:
                    computed = self._compute([_sound(texts[places[key][0]]) for key in missing])
                    made = dict(zip(missing, rows_of(computed, self.dimension), strict=True))
                    found.update(made)
                    if self._disk is not None:
                        self._disk.put(made)
                owners = [place for key in block for place in places[key]]
                counts = [len(places[key]) for key in block]
                encoded = from_rows([found[key] for key in block], self.dimension, width)
                out.meaning[owners] = encoded.meaning.repeat(counts, axis=0)
                out.tone[owners] = encoded.tone.repeat(counts, axis=0)
                self._keep(found)
        return out

    def _known(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """What memory and disk hold of these."""
        found = {key: self._memory[key] for key in keys if key in self._memory}
        if self._disk is not None and len(found) < len(keys):
            found.update(self._disk.get([key for key in keys if key not in found]))
        return found

    def _keep(self, found: dict[bytes, bytes]) -> None:
        for key, row in found.items():
            self._memory[key] = row
            self._memory.move_to_end(key)
        while len(self._memory) > CACHE_ROWS:
            self._memory.popitem(last=False)

    def _compute(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """For each text its unit meaning, then its tone, shape (len(texts), width)."""
        import numpy as np

        sums = np.zeros((len(texts), self._model.width), dtype=np.float64)
        counts = np.zeros((len(texts), 1))
        for owners, vectors in self._read(texts):
            lengths = np.linalg.norm(vectors[:, : self.dimension], axis=1, keepdims=True)
            with np.errstate(invalid="ignore"):  # what is not finite is refused below
                vectors[:, : self.dimension] /= np.where(lengths > 0, lengths, 1)
            for owner, vector in zip(owners, vectors, strict=True):
                sums[owner] += vector
                counts[owner] += 1
        sums /= counts
        meaning = sums[:, : self.dimension]
        lengths = np.linalg.norm(meaning, axis=1, keepdims=True)
        if not np.isfinite(sums).all() or (lengths == 0).any():
            raise EncoderError(f"encoder '{self.name}' gave a vector that is not a finite direction")
        meaning /= lengths
        return sums

    def _read(self, texts: Sequence[str]) -> Iterator[tuple[list[int], NDArray[np.float64]]]:
        """(numbers of the texts, vectors of their rows), some thousand rows at a time."""
        import numpy as np

        owners: list[int] = []
        rows: list[tuple[int, ...]] = []

        def vectors() -> NDArray[np.float64]:
            distinct = list(dict.fromkeys(rows))
            place = {row: number for number, row in enumerate(distinct)}
            found = self._model.vectors([list(row) for row in distinct])
            return found[[place[row] for row in rows]].astype(np.float64)

        for number, ids in self._model.rows(texts):
            owners.append(number)
            rows.append(tuple(ids))
            if len(rows) == ROWS:
                yield owners, vectors()
                owners, rows = [], []
        if rows:
            yield owners, vectors()


def load_encoder(
    name: str | None = None,
    threads: int | None = None,
    *,
    fast: bool = False,
    cached: bool = True,
    tell: Callable[[str], None] | None = None,
) -> Encoder:
    """The encoder called `name`: a sentence-transformers model name or a local folder, with its own prompts,
    window and pooling; or `static`, `static:NAME_OR_FOLDER` (see reading/static.py).

    Without a name: $ECHOSIM_ENCODER, else the default encoder, from the installed weights package
    if there is one (its hash is checked), else from the model hub.

    Args:
        name: model name or folder; None for the default.
        threads: torch threads; None keeps what the process has.
        fast: bfloat16 weights, several times faster where the processor or a GPU has it; vectors come as
            float32 all the same. Another encoder: its name and identity say so. The exact encoder stays
            on the processor, so that a GPU does not change a result unasked.
        cached: keep vectors on disk, in $ECHOSIM_CACHE or the user's cache folder.
        tell: told in a line what takes a while; None for stderr.

    Raises:
        EncoderError: not found, not reachable, tampered with, or `fast` without bfloat16; the message
            says what to do.
    """
    name = name or os.environ.get("ECHOSIM_ENCODER") or DEFAULT_ENCODER
    _one_blas_thread()
    if threads is not None:
        use_threads(threads)
    source = static.source_of(name)
    if source is not None:
        if fast:
            raise EncoderError(f"encoder '{name}' is static and as fast as it gets; leave fast out")
        made = static.distilled(name, source, cache_folder(), tell or _say)
        return _encoder(static.StaticModel(made, name), f"{static.NAMED}{source}", cached)
    library = opened(name)
    if static.is_static(library):
        if fast:
            raise EncoderError(f"encoder '{name}' is static and as fast as it gets; leave fast out")
        return _encoder(static.StaticModel(library, name), name, cached)
    model = TransformerModel(library, name, bfloat16_device() if fast else None)
    return _encoder(model, f"{name} (bfloat16)" if fast else name, cached)


def _one_blas_thread() -> None:
    """From now on numpy multiplies in one thread, whatever the cores and OMP_NUM_THREADS.

    What a reply says is read off products of small matrices, and their last bits depend on the number of
    threads: a calibration on the edge of its rounding would tip.
    """
    import numpy as np  # noqa: F401 - a library is held only once it is there
    import scipy.linalg  # noqa: F401 - brings a BLAS of its own
    from threadpoolctl import threadpool_limits

    threadpool_limits(1, user_api="blas")


def _encoder(model: TextModel, name: str, cached: bool) -> Encoder:
    space = draws.key(VERSION, model.identity, model.place)
    size = row_bytes(model.dimension, model.width)
    return Encoder(model, name, VectorCache(cache_folder(), space, size) if cached else None)


def _blocks(keys: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    return (keys[start : start + ROWS] for start in range(0, len(keys), ROWS))


def _sound(text: str) -> str:
    """The text, with half characters (lone surrogates) replaced: no tokenizer takes them."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
