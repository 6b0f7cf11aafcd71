"""Static encoders: a vector a token, and their mean for a text. Hundreds of times faster, and blunter.

`static` is distilled from the default encoder, `static:NAME_OR_FOLDER` from another one, by model2vec: every
token of the vocabulary read by itself, principal components, weights by rank (Tulkens and van Dongen 2024,
doi:10.5281/zenodo.17270888). It is made once, in a minute or two, and kept in the user's cache folder. It
cannot see the order of words, so it reads stance worse: for looking through very large runs and as an in-loop
reader, never for a board without saying so.
"""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from echosim.errors import EncoderError
from echosim.reading import model_files
from echosim.reading.transformer import identity_of, machine
from echosim.reading.windows import stretches

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

PREFIX = "static"
NAMED = "static of "
"""Before the name of the encoder that a static one was distilled from, on boards."""
DIMENSIONS = 256
"""Principal components that are kept."""
RECIPE = "1"
"""Raised whenever the same encoder would be distilled otherwise."""


class StaticModel:
    """A static encoder; the attributes are those of `TransformerModel`.

    A text without a known token points where the mean token does: it must have some direction, and this one
    says nothing.
    """

    def __init__(self, model: Any, name: str) -> None:
        import numpy as np
        from tokenizers import Tokenizer

        others = [type(module).__name__ for module in list(model)[1:]]
        if set(others) - {"Normalize"}:
            raise EncoderError(
                f"encoder '{name}' is static with further layers ({', '.join(others)}); choose another"
            )
        self._vectors = model[0].embedding.weight.detach().float().numpy()
        self._tokenizer = Tokenizer.from_str(model[0].tokenizer.to_str())
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._unknown = self._vectors.mean(axis=0, dtype=np.float64)
        self.dimension = self._vectors.shape[1]
        self.width = 2 * self.dimension
        self.window = sys.maxsize
        self.place = machine("cpu")
        digest = hashlib.sha256(self._vectors.tobytes())
        digest.update(self._tokenizer.to_str().encode())
        self.identity = digest.hexdigest()[:16]

    def rows(self, texts: Sequence[str]) -> Iterator[tuple[int, list[int]]]:
        """(number of the text, token ids) for each text, or each stretch of a very long one."""
        for number, text in enumerate(texts):
            for stretch in stretches(text):
                yield number, self._tokenizer.encode(stretch, add_special_tokens=False).ids

    def vectors(self, rows: Sequence[list[int]]) -> Vectors:
        """Meaning, and meaning again for the tone, of each row; shape (len(rows), width)."""
        import numpy as np

        means = np.array(
            [self._vectors[ids].mean(axis=0, dtype=np.float64) if ids else self._unknown for ids in rows]
        )
        lengths = np.linalg.norm(means, axis=1, keepdims=True)
        units = (means / np.where(lengths > 0, lengths, 1)).astype(np.float32)
        return np.concatenate([units, units], axis=1)


def source_of(name: str) -> str | None:
    """What `static` or `static:NAME_OR_FOLDER` is distilled from; None for a name of another kind."""
    prefix, _, source = name.partition(":")
    if prefix != PREFIX:
        return None
    return source or model_files.DEFAULT_ENCODER


def is_static(model: Any) -> bool:
    """Whether the library's model is a static encoder."""
    return type(model[0]).__name__ == "StaticEmbedding"


def distilled(name: str, source: str, cache: Path, tell: Callable[[str], None]) -> Any:
    """The library's model for a static encoder, made now if the cache does not hold it.

    Args:
        name: as the user gave it, for messages.
        source: what it is distilled from: a sentence-transformers model name or a local folder.
        cache: the user's cache folder.
        tell: told in a line that this takes a while, and when it is done.

    Raises:
        EncoderError: the source cannot be loaded, model2vec is not installed or cannot read it, or there
            is no room for the result.
    """
    teacher = model_files.opened(source)
    folder = cache / "static" / f"{identity_of(teacher)}-{DIMENSIONS}-{RECIPE}"
    if folder.is_dir():
        try:
            return model_files.opened(str(folder))
        except EncoderError:
            shutil.rmtree(folder, ignore_errors=True)  # half of it is gone: made again
    if not _has_model2vec():
        raise EncoderError(f"encoder '{name}' is made by model2vec: pip install 'echosim[static]'")
    tell(f"making encoder '{name}' from '{source}': once, a minute or two")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix="making-") as making:
            _distil(teacher, Path(making))
            Path(making, "made").rename(folder)
    except OSError as error:
        if not folder.is_dir():  # else another process was faster
            raise EncoderError(f"{folder.parent}: encoder '{name}' cannot be kept there ({error})") from error
    except Exception as error:
        reason = model_files.first_line(error)
        raise EncoderError(f"encoder '{source}' cannot be made static: {reason}") from error
    tell(f"encoder '{name}' is ready")
    return model_files.opened(str(folder))


def _has_model2vec() -> bool:
    return importlib.util.find_spec("model2vec") is not None


def _distil(teacher: Any, folder: Path) -> None:
    from model2vec.distill import distill

    # By folder and not by name: model2vec would ask the hub about a name.
    teacher.float().save(str(folder / "teacher"), create_model_card=False)
    made = distill(str(folder / "teacher"), pca_dims=DIMENSIONS, device="cpu")
    made.save_pretrained(folder / "made")
