"""Encoders of other kinds: the model's own prompt, window, pooling and layers, and the same promises."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from echosim.draws import shuffled
from echosim.errors import EncoderError
from echosim.reading import model_files
from echosim.reading.embedding import Encoder, load_encoder
from echosim.reading.forward import EndToEnd, Padded
from echosim.reading.transformer import PROMPTS, prompt_of
from tests.reading import tiny_models

TEXTS = [" ".join(shuffled(tiny_models.WORDS, n)[: 1 + n % 11]) for n in range(50)] + [
    "Yes, 300 ships: the SEA (and the sky) is round.",
    "no " * 100,
]
KINDS = [
    ("Bert", EndToEnd),
    ("Roberta", EndToEnd),
    ("ModernBert", EndToEnd),
    ("Qwen3", EndToEnd),
    ("MPNet", Padded),
]


def library_vectors(folder: Path, texts: list[str], prompt: str | None = None) -> np.ndarray:
    model = model_files.opened(str(folder))
    return np.stack(
        [
            model.encode([text], prompt=prompt, normalize_embeddings=True)[0].astype(np.float64)
            for text in texts
        ]
    )


@pytest.mark.parametrize(("kind", "way"), KINDS)
def test_every_kind_gives_the_librarys_vectors_with_the_same_bits_in_any_company(
    tmp_path: Path, kind: str, way: type
) -> None:
    folder = tiny_models.model(tmp_path, kind, pooling="lasttoken" if kind == "Qwen3" else "mean", dense=24)
    encoder = load_encoder(str(folder), cached=False)
    assert isinstance(encoder._model._way, way)
    assert (encoder.dimension, encoder.window) == (24, 128)
    found = encoder.read(TEXTS)
    assert (1 - (found.meaning * library_vectors(folder, TEXTS)).sum(axis=1)).max() < 1e-6
    for chosen in ([3], [50, 2, 51], shuffled(range(len(TEXTS)), "order")):
        encoder._memory.clear()
        alone = encoder.read([TEXTS[i] for i in chosen])
        assert alone.meaning.tobytes() == found.meaning[chosen].tobytes()
        assert alone.tone.tobytes() == found.tone[chosen].tobytes()


def encoder_of(folder: Path, **settings: object) -> tuple[Path, Encoder]:
    folder.mkdir()
    made = tiny_models.model(folder, **settings)  # type: ignore[arg-type]
    return made, load_encoder(str(made), cached=False)


def test_a_models_own_prompt_is_used_and_is_part_of_its_identity(tmp_path: Path) -> None:
    _, plain = encoder_of(tmp_path / "plain")
    searching = {"query": "the sea ", "passage": "yes "}
    folder, prompted = encoder_of(tmp_path / "prompted", prompts=searching)
    assert prompted.identity != plain.identity
    assert (1 - (prompted.embed(TEXTS[:9]) * library_vectors(folder, TEXTS[:9], "yes ")).sum(1)).max() < 1e-6
    _, by_default = encoder_of(tmp_path / "default", prompts=searching, default_prompt="query")
    assert len({plain.identity, prompted.identity, by_default.identity}) == 3


def test_a_prompt_that_the_pooling_leaves_out_is_left_out(tmp_path: Path) -> None:
    folder, encoder = encoder_of(tmp_path / "a", prompts={"document": "the sea "}, include_prompt=False)
    assert (
        1 - (encoder.embed(TEXTS[:9]) * library_vectors(folder, TEXTS[:9], "the sea ")).sum(1)
    ).max() < 1e-6
    _, included = encoder_of(tmp_path / "b", prompts={"document": "the sea "})
    assert encoder.identity != included.identity


def test_window_pooling_and_layers_are_part_of_the_identity(tmp_path: Path) -> None:
    settings = (
        {},
        {"window": 64},
        {"pooling": "cls"},
        {"pooling": "max"},
        {"dense": 24},
    )
    made = [encoder_of(tmp_path / str(n), **one)[1] for n, one in enumerate(settings)]  # type: ignore[arg-type]
    assert len({encoder.identity for encoder in made}) == len(made)
    assert [encoder.window for encoder in made[:2]] == [128, 64]


def test_a_text_beyond_a_small_window_counts_to_its_end(tmp_path: Path) -> None:
    _, encoder = encoder_of(tmp_path / "a", window=32)
    one, other = encoder.embed(["the sea " * 80, "the sea " * 80 + "no"])
    assert one.tobytes() != other.tobytes()


@given(
    st.dictionaries(st.sampled_from([*PROMPTS, "query", "STS", "Clustering"]), st.sampled_from(["", "x: "]))
)
def test_a_prompt_for_queries_alone_is_never_used(prompts: dict[str, str]) -> None:
    known = {name.lower() for name, text in prompts.items() if text}
    assert prompt_of(prompts, None) == ("x: " if known & set(PROMPTS) else "")
    assert prompt_of({"query": "q: ", "document": None}, None) == ""
    assert prompt_of({"query": "q: ", "document": "d: "}, "query") == "q: "


def test_a_model_of_half_precision_is_read_in_full(tmp_path: Path) -> None:
    folder, encoder = encoder_of(tmp_path / "a")
    model_files.opened(str(folder)).half().save(str(tmp_path / "half"), create_model_card=False)
    half = load_encoder(str(tmp_path / "half"), cached=False)
    assert {p.dtype.itemsize for p in half._model._way._transformer.parameters()} == {4}
    assert (half.embed(TEXTS) * encoder.embed(TEXTS)).sum(axis=1).min() > 0.999


def test_what_has_no_fast_tokenizer_is_refused(tmp_path: Path) -> None:
    folder, _ = encoder_of(tmp_path / "a")
    settings = folder / "tokenizer_config.json"
    settings.write_text(settings.read_text().replace('"[PAD]"', "null"))
    shutil.rmtree(tmp_path / "a" / "bare")
    with pytest.raises(EncoderError, match=r"padding token|cannot be loaded"):
        load_encoder(str(folder))
