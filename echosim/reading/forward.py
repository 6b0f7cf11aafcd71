"""Token ids to vectors, in passes of one fixed size, so that a vector depends on its text alone.

The same sentence in a batch of another shape differs in the last bits, and a belief loop amplifies
that. Padding every batch to a few shapes cures it and wastes a fifth of the work. So here sentences
lie end to end, 512 tokens a pass: what is done token by token (nearly all of the work) always has that
one shape, attention sees each sentence by itself, and each is pooled by itself. Where another size is
found to give the very same bits on this machine, it is used too: a larger one is faster, a smaller one
wastes less on few sentences.

A model that cannot be read so (its attention is its own affair) is read in padded batches of fixed
shapes. Which of the two is right is tried when the model is loaded, against the library's own pass.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from echosim.reading.passes import passes, runs

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]
    Ids = Sequence[Sequence[int]]

TOKENS = 512
"""Tokens in one pass; the longest window that is read at once."""
OTHER_SIZES = (256, 1024)
"""Tokens in a pass where that gives the same bits."""
BUCKETS = (16, 24, 32, 48, 64, 128, 256, TOKENS)
"""Padded lengths for a model that cannot be read end to end."""
TONE_DEPTHS = (1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6)
"""Shares of the depth at which tone is read: words in their places, then how they bear on one another.
Two, three and five were tried on left-out writers (analyses/LOG.md)."""
AGREES = 1e-5
"""Largest 1 - cosine to the library's own vector; float32 in another order gives 1e-6 at most."""
_ATTENTION = "echosim_packed"


class EndToEnd:
    """Reads rows laid end to end.

    Args:
        model: a SentenceTransformer whose first module is a transformer.
        depths: indices of the hidden states that tone is read from.
        prompt_tokens: tokens that a pooling may leave out (`prompt_length` of the library).
        first_position: number of a row's first position; RoBERTa and its kin do not begin at 0.
    """

    def __init__(self, model: Any, depths: Sequence[int], prompt_tokens: int, first_position: int) -> None:
        _register()
        self._transformer = model[0].auto_model
        self._transformer.set_attn_implementation(_ATTENTION)
        self._rest = list(model)[1:]
        self._depths = depths
        self._prompt_tokens = prompt_tokens
        self._first = first_position
        self._sizes: dict[tuple[int, Any], tuple[int, ...]] = {}

    def __call__(self, ids: Ids) -> Vectors:
        """Meaning and tone of each row, shape (len(ids), d + t); a row has 1 to 512 tokens."""
        import numpy as np
        import torch

        # How a matrix is cut depends on the threads, and so do its last bits.
        used = (torch.get_num_threads(), self._transformer.dtype)
        if used not in self._sizes:
            self._sizes[used] = self._equal_sizes(max(ids, key=len))
        found: list[Any] = [None] * len(ids)
        for size, chosen in passes([len(row) for row in ids], self._sizes[used]):
            for row, vector in zip(chosen, self._read([ids[row] for row in chosen], size), strict=True):
                found[row] = vector
        return np.stack(found)

    def _equal_sizes(self, row: Sequence[int]) -> tuple[int, ...]:
        """The sizes that give the bits of the usual one, wherever in the pass a row lies."""
        import torch

        if self._transformer.dtype != torch.float32:
            return (TOKENS,)  # rounding to fewer bits hides a difference here and shows it elsewhere
        few = [row[: 1 + len(row) * part // 8] for part in (0, 1, 2, 3, 5, 7)]
        rows = sorted((some for some in few if len(some) <= 60), key=len, reverse=True)
        expected = self._read(rows, TOKENS)

        def equal(size: int) -> bool:
            copies = size // sum(len(some) for some in rows)
            found = self._read([some for some in rows for _ in range(copies)], size)
            same = [expected[place].tobytes() for place in range(len(rows)) for _ in range(copies)]
            return [vector.tobytes() for vector in found] == same

        return tuple(sorted((TOKENS, *(size for size in OTHER_SIZES if equal(size)))))

    def _read(self, ids: Ids, size: int) -> Vectors:
        """Vectors of one pass of `size` tokens; rows of one length lie side by side."""
        import numpy as np
        import torch

        tokens = np.zeros((1, size), dtype=np.int64)
        positions = np.full((1, size), self._first, dtype=np.int64)
        end = 0
        for row in ids:
            start, end = end, end + len(row)
            tokens[0, start:end] = row
            positions[0, start:end] += np.arange(len(row))
        alike = runs([len(row) for row in ids])
        device = self._transformer.device
        with torch.inference_mode():
            out = self._transformer(
                input_ids=torch.from_numpy(tokens).to(device),
                position_ids=torch.from_numpy(positions).to(device),
                attention_mask=None,
                output_hidden_states=True,
                echosim_runs=alike,
            )
            pooled = []
            for start, rows, length in alike:
                part = slice(start, start + rows * length)
                shape = (rows, length)
                said = [
                    out.hidden_states[depth][0, part].unflatten(0, shape).float().mean(1)
                    for depth in self._depths
                ]
                meant = self._pool(out.last_hidden_state[0, part].unflatten(0, shape))
                pooled.append(torch.cat([meant, *said], 1))
            vectors: Vectors = torch.cat(pooled).cpu().numpy()
        return vectors

    def _pool(self, hidden: Any) -> Any:
        """What the layers after the transformer make of rows of one length, shape (rows, tokens, size)."""
        import torch

        features: dict[str, Any] = {
            "token_embeddings": hidden,
            "attention_mask": torch.ones(hidden.shape[:2], dtype=torch.long, device=hidden.device),
            "prompt_length": self._prompt_tokens,
        }
        rest = iter(self._rest)
        while "sentence_embedding" not in features:
            features = next(rest)(features)
        later, vectors = list(rest), features["sentence_embedding"]
        if later:
            # A layer on whole vectors multiplies matrices of as many rows: each goes by itself.
            alone = []
            for row in range(len(vectors)):
                features = {"sentence_embedding": vectors[row : row + 1]}
                for module in later:
                    features = module(features)
                alone.append(features["sentence_embedding"])
            vectors = torch.cat(alone)
        return vectors.float()


class Padded:
    """Reads batches of a few fixed shapes: a padded length, and as many rows as make 512 tokens.

    Args:
        model: a SentenceTransformer.
        depths: as for `EndToEnd`; none for an encoder without layers, whose tone is its meaning.
        prompt_tokens: as for `EndToEnd`.
    """

    def __init__(self, model: Any, depths: Sequence[int], prompt_tokens: int) -> None:
        self._model = model
        self._depths = depths
        self._prompt_tokens = prompt_tokens

    def __call__(self, ids: Ids) -> Vectors:
        """Meaning and tone of each row, shape (len(ids), d + t); a row has 1 to 512 tokens."""
        import numpy as np
        import torch

        found: list[Any] = [None] * len(ids)
        low = 0
        with torch.inference_mode():
            for bucket in BUCKETS:
                rows = [row for row, some in enumerate(ids) if low < len(some) <= bucket]
                low = bucket
                size = TOKENS // bucket
                for start in range(0, len(rows), size):
                    chosen = rows[start : start + size]
                    spare = [chosen[0]] * (size - len(chosen))
                    vectors = self._batch([ids[row] for row in (*chosen, *spare)], bucket)
                    for row, vector in zip(chosen, vectors.cpu().numpy(), strict=False):
                        found[row] = vector
        return np.stack(found)

    def alone(self, row: Sequence[int]) -> Vectors:
        """One row as the library reads it, without padding or company; shape (d + t,)."""
        import torch

        with torch.inference_mode():
            vector: Vectors = self._batch([row], len(row)).numpy()[0]
        return vector

    def _batch(self, ids: Ids, length: int) -> Any:
        import torch

        features = self._model.tokenizer.pad(
            {"input_ids": [list(row) for row in ids]},
            padding="max_length",
            max_length=length,
            return_tensors="pt",
        ).to(self._model.device)
        mask = features["attention_mask"][..., None]
        out = self._model({**features, "prompt_length": self._prompt_tokens})
        meant = out["sentence_embedding"].float()
        if not self._depths:
            return torch.cat([meant, meant], dim=1)
        layers = [out["all_layer_embeddings"][depth].float() for depth in self._depths]
        return torch.cat([meant, *((layer * mask).sum(1) / mask.sum(1) for layer in layers)], dim=1)


def fitting(model: Any, ids: Ids, prompt_tokens: int) -> Callable[[Ids], Vectors] | None:
    """The fastest way to read this model that gives what the library gives for a text alone, or None.

    Args:
        model: a SentenceTransformer in float32.
        ids: token ids of a few texts, short to long; on these the ways are tried.
        prompt_tokens: as for `EndToEnd`.
    """
    import numpy as np

    depths, width = tone_layers(model), int(model.get_embedding_dimension())
    padded = Padded(model, depths, prompt_tokens)
    expected = np.stack([padded.alone(row) for row in ids])
    # Where positions begin is no attribute that models share; the padding id plus one is RoBERTa's rule.
    if depths and getattr(model[0].auto_model.config, "_attn_implementation", None) == "sdpa":
        for first in (0, model.tokenizer.pad_token_id + 1):
            if _agrees(way := EndToEnd(model, depths, prompt_tokens, first), ids, expected, width):
                return way
        model[0].auto_model.set_attn_implementation("sdpa")
    return padded if _agrees(padded, ids, expected, width) else None


def use_threads(threads: int) -> None:
    """How many threads torch computes with, in this process."""
    import torch

    torch.set_num_threads(threads)


def threads_used() -> int:
    """How many that are."""
    import torch

    return int(torch.get_num_threads())


def tone_layers(model: Any) -> tuple[int, ...]:
    """Indices of the hidden states that tone is read from, at each of `TONE_DEPTHS`; none without layers."""
    config = getattr(getattr(model[0], "auto_model", None), "config", None)
    layers = int(getattr(config, "num_hidden_layers", 0) or 0)
    if config is not None and layers:
        config.output_hidden_states = True
    return tuple(round(layers * share) for share in TONE_DEPTHS) if layers else ()


def _agrees(way: Callable[[Ids], Vectors], ids: Ids, expected: Vectors, width: int) -> bool:
    """Whether meaning (the first `width` numbers) and tone point where they should."""
    import numpy as np

    try:
        found = way(ids).astype(np.float64)
    except Exception:
        # Models differ in what they refuse and how; whatever it is, this way is not theirs.
        return False
    if found.shape != expected.shape or not np.isfinite(found).all():
        return False
    for part in (slice(0, width), slice(width, None)):
        mine, theirs = found[:, part], expected[:, part]
        lengths = np.linalg.norm(mine, axis=1) * np.linalg.norm(theirs, axis=1)
        if (lengths - (mine * theirs).sum(axis=1) > AGREES * lengths).any():
            return False
    return True


def _register() -> None:
    """Make the attention known by name; where no runs are given it is the library's own."""
    from transformers import AttentionInterface, AttentionMaskInterface

    masks = AttentionMaskInterface()  # type: ignore[no-untyped-call]
    AttentionInterface.register(_ATTENTION, _attend)
    AttentionMaskInterface.register(_ATTENTION, masks["sdpa"])


def _attend(
    module: Any,
    query: Any,
    key: Any,
    value: Any,
    attention_mask: Any,
    *,
    echosim_runs: Sequence[tuple[int, int, int]] | None = None,
    **options: Any,
) -> tuple[Any, None]:
    """Attention of each row to itself; query, key and value have shape (1, heads, tokens, width)."""
    import torch
    from transformers import AttentionInterface

    plain = AttentionInterface()["sdpa"]  # type: ignore[no-untyped-call]
    if echosim_runs is None:
        whole, _ = plain(module, query, key, value, attention_mask, **options)
        return whole, None
    out = []
    end = 0
    for start, rows, length in echosim_runs:
        end = start + rows * length
        part = slice(start, end)
        apart = [x[0, :, part].unflatten(1, (rows, length)).transpose(0, 1) for x in (query, key, value)]
        # A mask says who may look how far back: the same for every row of this length.
        first = slice(start, start + length)
        mask = None if attention_mask is None else attention_mask[:, :, first, first]
        seen, _ = plain(module, *apart, mask, **options)
        out.append(seen.flatten(0, 1))
    out.append(query.new_zeros(query.shape[2] - end, query.shape[1], value.shape[3]))
    return torch.cat(out)[None], None
