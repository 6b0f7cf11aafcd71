"""Small sentence-transformers models of several kinds, made on the spot with weights from hashes."""

from __future__ import annotations

import string
from pathlib import Path
from typing import Any

import numpy as np

from echosim.draws import key

WORDS = ["the", "earth", "is", "round", "no", "yes", "ships", "sea", "vanish", "and", "sky"]


def tokenizer(longest: int = 128, special: bool = True) -> Any:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    letters = string.ascii_lowercase + string.digits
    pieces = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        *letters,
        *".,()'-:",
        *(f"##{c}" for c in letters),
    ]
    made = Tokenizer(models.WordPiece({word: n for n, word in enumerate(pieces + WORDS)}, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    if special:
        made.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
        )
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_max_length=longest,
    )


def config(kind: str, size: int) -> Any:
    import transformers

    shared = {
        "vocab_size": size,
        "hidden_size": 48,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "intermediate_size": 96,
        "max_position_embeddings": 514,
        "pad_token_id": 0,
    }
    extra: dict[str, Any] = {
        "ModernBert": {"global_attn_every_n_layers": 3, "local_attention": 16},
        "Qwen3": {"num_key_value_heads": 2, "head_dim": 12},
    }.get(kind, {})
    return getattr(transformers, f"{kind}Config")(**shared, **extra)


def model(
    folder: Path,
    kind: str = "Bert",
    pooling: str = "mean",
    window: int = 128,
    dense: int | None = None,
    prompts: dict[str, str] | None = None,
    default_prompt: str | None = None,
    include_prompt: bool = True,
    special: bool = True,
) -> Path:
    """Writes one to `folder`; the same arguments give the same weights."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Transformer
    from sentence_transformers.sentence_transformer.modules import Dense, Normalize, Pooling
    from transformers import AutoModel

    cuts = tokenizer(window, special)
    bare = AutoModel.from_config(config(kind, len(cuts)))
    _fill(bare)
    bare.save_pretrained(folder / "bare")
    cuts.save_pretrained(folder / "bare")
    transformer = Transformer(str(folder / "bare"))
    transformer.max_seq_length = window
    modules: list[Any] = [transformer, Pooling(48, pooling, include_prompt=include_prompt)]
    if dense is not None:
        modules.append(Dense(48, dense, activation_function=torch.nn.Tanh()))
        _fill(modules[-1])
    made = SentenceTransformer(
        modules=[*modules, Normalize()], device="cpu", prompts=prompts, default_prompt_name=default_prompt
    )
    made.save(str(folder / "whole"), create_model_card=False)
    return folder / "whole"


def _fill(module: Any) -> None:
    import torch

    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if parameter.dim() > 1:
                seed = int(key(name, *parameter.shape)[:8], 16)
                values = np.sin(np.arange(parameter.numel()) * 12.9898 + seed % 1000) * 43758.5453
                spread = (values - np.floor(values) - 0.5) * 0.5
                parameter.copy_(torch.tensor(spread).reshape(parameter.shape))
