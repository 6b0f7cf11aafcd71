"""Token ids to pooled vectors in passes of one fixed size, so that a vector depends on its text alone.

The same sentence in a batch of another shape differs in the last bits, and a belief loop amplifies
that. Padding every batch to a few shapes cures it and wastes a fifth of the work. So here sentences
lie end to end in one row of exactly 512 tokens: what is done token by token (nearly all of the work)
always has that one shape, attention sees each sentence by itself, and each is pooled by itself.

A model that cannot be read so (its attention is its own affair) is read in padded batches of fixed
shapes. Which of the two is right is tried when the model is loaded, against the library's own pass.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]
    Ids = Sequence[Sequence[int]]

TOKENS = 512
"""Tokens in one pass; the longest window that is read at once."""
BUCKETS = (16, 24, 32, 48, 64, 128, 256, TOKENS)
"""Padded lengths for a model that cannot be read end to end."""
AGREES = 1e-5
"""Largest 1 - cosine to the library's own vector; float32 in another order gives 1e-6 at most."""
_ATTENTION = "echosim_packed"


def passes(lengths: Sequence[int], room: int = TOKENS) -> Iterator[list[int]]:
    """Row numbers for each pass: at most `room` tokens, rows of one length side by side.

    Long rows come first, and the gap that they leave is filled with short ones.

    Args:
        lengths: tokens of each row, each in 1 to `room`.
        room: tokens in a pass.
    """
    waiting = deque(sorted(range(len(lengths)), key=lambda row: (-lengths[row], row)))
    while waiting:
        chosen, used = [], 0
        while waiting and used + lengths[waiting[0]] <= room:
            used += lengths[waiting[0]]
            chosen.append(waiting.popleft())
        while waiting and used + lengths[waiting[-1]] <= room:
            used += lengths[waiting[-1]]
            chosen.append(waiting.pop())
        yield sorted(chosen, key=lambda row: (-lengths[row], row))


def runs(lengths: Sequence[int]) -> list[tuple[int, int, int]]:
    """(first token, rows, tokens a row) of each run of rows with one length.

    >>> runs([5, 5, 3])
    [(0, 2, 5), (10, 1, 3)]
    """
    found: list[tuple[int, int, int]] = []
    start = 0
    for length in lengths:
        if found and found[-1][2] == length:
            found[-1] = (found[-1][0], found[-1][1] + 1, length)
        else:
            found.append((start, 1, length))
        start += length
    return found


def spans_of(lengths: Sequence[int]) -> list[slice]:
    """Where each row lies when they are laid end to end."""
    ends = list(accumulate(lengths))
    return [slice(end - length, end) for end, length in zip(ends, lengths, strict=True)]


class EndToEnd:
    """Reads rows laid end to end.

    Args:
        model: a SentenceTransformer whose first module is a transformer.
        depth: index of the hidden state that tone is read from.
        prompt_tokens: tokens that a pooling may leave out (`prompt_length` of the library).
        first_position: number of a row's first position; RoBERTa and its kin do not begin at 0.
    """

    def __init__(self, model: Any, depth: int, prompt_tokens: int, first_position: int) -> None:
        _register()
        self._transformer = model[0].auto_model
        self._transformer.set_attn_implementation(_ATTENTION)
        self._rest = list(model)[1:]
        self._depth = depth
        self._prompt_tokens = prompt_tokens
        self._first = first_position

    def __call__(self, ids: Ids) -> Vectors:
        """Meaning and tone of each row, shape (len(ids), d + t); a row has 1 to 512 tokens."""
        import numpy as np
        import torch

        found: list[Any] = [None] * len(ids)
        lengths = [len(row) for row in ids]
        with torch.inference_mode():
            for chosen in passes(lengths):
                meant, said = self._layers([ids[row] for row in chosen])
                spans = spans_of([lengths[row] for row in chosen])
                vectors = torch.stack([self._pool(meant[:, span], said[:, span]) for span in spans])
                for row, vector in zip(chosen, vectors.cpu().numpy(), strict=True):
                    found[row] = vector
        return np.stack(found)

    def _layers(self, ids: Ids) -> tuple[Any, Any]:
        """Last layer and tone layer of one pass, each of shape (1, 512, hidden size)."""
        import numpy as np
        import torch

        tokens = np.zeros((1, TOKENS), dtype=np.int64)
        positions = np.full((1, TOKENS), self._first, dtype=np.int64)
        lengths = [len(row) for row in ids]
        for row, span in zip(ids, spans_of(lengths), strict=True):
            tokens[0, span] = row
            positions[0, span] += np.arange(len(row))
        out = self._transformer(
            input_ids=torch.from_numpy(tokens).to(self._transformer.device),
            position_ids=torch.from_numpy(positions).to(self._transformer.device),
            attention_mask=None,
            output_hidden_states=True,
            echosim_runs=runs(lengths),
        )
        return out.last_hidden_state, out.hidden_states[self._depth]

    def _pool(self, meant: Any, said: Any) -> Any:
        import torch

        features = {
            "token_embeddings": meant,
            "attention_mask": torch.ones(meant.shape[:2], dtype=torch.long, device=meant.device),
            "prompt_length": self._prompt_tokens,
        }
        for module in self._rest:
            features = module(features)
        return torch.cat([features["sentence_embedding"][0].float(), said[0].float().mean(0)])


class Padded:
    """Reads batches of a few fixed shapes: a padded length, and as many rows as make 512 tokens.

    Args:
        model: a SentenceTransformer.
        depth: as for `EndToEnd`; 0 for an encoder without layers, whose tone is its meaning.
        prompt_tokens: as for `EndToEnd`.
    """

    def __init__(self, model: Any, depth: int, prompt_tokens: int) -> None:
        self._model = model
        self._depth = depth
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
        if not self._depth:
            return torch.cat([meant, meant], dim=1)
        layer = out["all_layer_embeddings"][self._depth].float()
        return torch.cat([meant, (layer * mask).sum(1) / mask.sum(1)], dim=1)


def fitting(model: Any, ids: Ids, prompt_tokens: int) -> Callable[[Ids], Vectors] | None:
    """The fastest way to read this model that gives what the library gives for a text alone, or None.

    Args:
        model: a SentenceTransformer in float32.
        ids: token ids of a few texts, short to long; on these the ways are tried.
        prompt_tokens: as for `EndToEnd`.
    """
    import numpy as np

    depth, width = tone_layer(model), int(model.get_embedding_dimension())
    padded = Padded(model, depth, prompt_tokens)
    expected = np.stack([padded.alone(row) for row in ids])
    # Where positions begin is no attribute that models share; the padding id plus one is RoBERTa's rule.
    if depth and getattr(model[0].auto_model.config, "_attn_implementation", None) == "sdpa":
        for first in (0, model.tokenizer.pad_token_id + 1):
            if _agrees(way := EndToEnd(model, depth, prompt_tokens, first), ids, expected, width):
                return way
        model[0].auto_model.set_attn_implementation("sdpa")
    return padded if _agrees(padded, ids, expected, width) else None


def use_threads(threads: int) -> None:
    """How many threads torch computes with, in this process."""
    import torch

    torch.set_num_threads(threads)


def tone_layer(model: Any) -> int:
    """Index of the hidden state that tone is read from, at two thirds of the depth; 0 without layers."""
    config = getattr(getattr(model[0], "auto_model", None), "config", None)
    layers = int(getattr(config, "num_hidden_layers", 0) or 0)
    if config is not None and layers:
        config.output_hidden_states = True
    return round(layers * 2 / 3)


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
    from transformers import AttentionInterface

    plain = AttentionInterface()["sdpa"]  # type: ignore[no-untyped-call]
    if echosim_runs is None:
        out, _ = plain(module, query, key, value, attention_mask, **options)
        return out, None
    out = query.new_zeros(1, query.shape[2], query.shape[1], value.shape[3])
    for start, rows, length in echosim_runs:
        part = slice(start, start + rows * length)
        apart = [x[0, :, part].unflatten(1, (rows, length)).transpose(0, 1) for x in (query, key, value)]
        # A mask says who may look how far back: the same for every row of this length.
        first = slice(start, start + length)
        mask = None if attention_mask is None else attention_mask[:, :, first, first]
        seen, _ = plain(module, *apart, mask, **options)
        out[0, part] = seen.flatten(0, 1)
    return out, None
