"""Transformer encoders: texts to rows, rows to vectors, and a name for all that changes a vector."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from echosim.errors import EncoderError
from echosim.reading import forward
from echosim.reading.windows import Windows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

PROMPTS = ("similarity", "sts", "text-matching", "clustering", "document", "passage")
"""Names of prompts for texts that are compared with one another, the most fitting first."""

_TRIED = (
    "Yes.",
    "No, the Earth is a GLOBE, and ships vanish hull first (seen since 300 BC).",
    "The sea is wide, and the sky above it is blue. " * 80,
)
"""Read both ways when a model is loaded: a word, a sentence, and more than any window holds."""


class TransformerModel:
    """A transformer that reads texts.

    Attributes:
        dimension: numbers in a meaning vector.
        width: numbers in a row of `vectors`: meaning, then tone.
        window: tokens that are read at once, the prompt included.
        identity: 16 hex characters over weights, tokenizer, pooling, prompt and number format.
        place: what a vector's bits depend on besides: machine, threads, torch, the tokenizer's every setting.
    """

    def __init__(self, model: Any, name: str, fast_on: str | None) -> None:
        import torch

        tokenizer = getattr(model, "tokenizer", None)
        if not getattr(tokenizer, "is_fast", False) or getattr(tokenizer, "pad_token", None) is None:
            raise EncoderError(
                f"encoder '{name}' has no fast tokenizer with a padding token; choose a text encoder that "
                "has tokenizer.json"
            )
        model.eval().float()
        prompt = prompt_of(model.prompts, model.default_prompt_name)
        self.dimension = int(model.get_embedding_dimension())
        self.window = min(int(model.max_seq_length or forward.TOKENS), forward.TOKENS)
        self.identity = identity_of(model, prompt, fast=fast_on is not None)
        self._windows = Windows(tokenizer, self.window, prompt, name)
        tried = [ids for _, ids in self._windows.rows(_TRIED[:2])]
        tried.append(next(self._windows.rows(_TRIED[2:]))[1])
        way = forward.fitting(model, tried, _prompt_tokens(tokenizer, prompt))
        if way is None or tried[:2] != [_library_ids(model, text, prompt) for text in _TRIED[:2]]:
            raise EncoderError(
                f"encoder '{name}' reads a text otherwise when it has company; choose a plain text encoder"
            )
        if fast_on is not None:
            model.to(device=fast_on, dtype=torch.bfloat16)
        self.place = f"{machine(fast_on or 'cpu')}, torch {torch.__version__}, {_cuts(tokenizer)}"
        self._way = way
        self.width = len(way(tried[:1])[0])

    def rows(self, texts: Sequence[str]) -> Iterator[tuple[int, list[int]]]:
        """(number of the text, what is read at once) for each text or window, in order of the texts."""
        return self._windows.rows(texts)

    def vectors(self, rows: Sequence[list[int]]) -> Vectors:
        """Meaning and tone of each row, shape (len(rows), width), not normalised."""
        return self._way(rows)


def prompt_of(prompts: Mapping[str, str | None], default: str | None) -> str:
    """The prompt for a text that is compared with others, "" where the model has none.

    The model's default wins; else the most fitting of `PROMPTS`. A prompt for queries alone is for
    searching, where the other side has none, and is not used.
    """
    if default is not None:
        return prompts.get(default) or ""
    known = {name.lower(): text for name, text in prompts.items() if text}
    return next((known[name] for name in PROMPTS if name in known), "")


def bfloat16_device() -> str:
    """Where bfloat16 is fast: "cuda", else "cpu".

    Raises:
        EncoderError: nowhere on this machine.
    """
    import torch

    if torch.cuda.is_available() and torch.cuda.is_bf16_supported():
        return "cuda"
    if any(there for feature, there in _features().items() if feature.endswith("bf16")):
        return "cpu"
    raise EncoderError(
        "this machine has no bfloat16 (AVX512-BF16, AMX, Arm BF16 or a GPU with it), so the fast encoder "
        "would be slower than the exact one; leave fast out"
    )


def _features() -> dict[str, Any]:
    """What the processor can do, as torch sees it; {} from a torch that does not say."""
    import torch

    features: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return features


def machine(device: str) -> str:
    """The kind of machine, and how it is used: two of one kind give the same bits."""
    import torch

    if device != "cpu":
        return str(torch.cuda.get_device_name())
    kind = sorted((name, value) for name, value in _features().items() if not name.startswith("num_"))
    threads = torch.get_num_threads()
    return f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()} {threads} threads {kind}"


def _cuts(tokenizer: Any) -> str:
    """A hash over how the tokenizer cuts text; padding and truncation are set anew by every call."""
    settings = json.loads(tokenizer.backend_tokenizer.to_str())
    settings.update(padding=None, truncation=None)
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


def _prompt_tokens(tokenizer: Any, prompt: str) -> int:
    """Tokens of the prompt from the row's beginning, as sentence-transformers counts them."""
    if not prompt:
        return 0
    ids = tokenizer(prompt)["input_ids"]
    return len(ids) - (ids[-1] in tokenizer.all_special_ids)


def _library_ids(model: Any, text: str, prompt: str) -> list[int]:
    ids: list[int] = model.preprocess([text], prompt=prompt or None)["input_ids"][0].tolist()
    return ids


def identity_of(model: Any, prompt: str = "", fast: bool = False) -> str:
    """16 hex characters over all weights and the settings that change a vector."""
    import torch

    digest = hashlib.sha256()
    for key, tensor in sorted(model.state_dict().items()):
        digest.update(key.encode())
        digest.update(tensor.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
    digest.update(repr((model.max_seq_length, [type(module).__name__ for module in model])).encode())
    digest.update(str(getattr(model.tokenizer, "vocab_size", "")).encode())
    poolings = [
        (str(module.pooling_mode), module.include_prompt)
        for module in model
        if hasattr(module, "pooling_mode")
    ]
    # What is usual adds nothing: one prompt or number format more is another encoder.
    for unusual in (
        prompt and f"prompt {prompt}",
        poolings != [("mean", True)] and f"pooling {poolings}",
        model.truncate_dim and f"cut to {model.truncate_dim}",
        fast and "bfloat16",
    ):
        if unusual:
            digest.update(unusual.encode())
    return digest.hexdigest()[:16]
