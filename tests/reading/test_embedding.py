from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from echosim.draws import integer, shuffled
from echosim.errors import EncoderError
from echosim.reading import embedding
from echosim.reading.embedding import Encoder, load_encoder

TEXTS = [
    " ".join(
        shuffled(
            [
                "the",
                "earth",
                "is",
                "round",
                "and",
                "ships",
                "vanish",
                "hull",
                "first",
                "beyond",
                "the",
                "horizon",
                "every",
                "day",
            ],
            n,
        )
    )[: 8 + integer(n, "cut") % 70]
    for n in range(60)
]


def test_vectors_are_unit_and_finite(encoder: Encoder) -> None:
    vectors = encoder.embed(TEXTS)
    assert vectors.shape == (60, encoder.dimension)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("order", range(3))
def test_a_vector_depends_on_its_text_alone_to_the_last_bit(encoder: Encoder, order: int) -> None:
    whole = encoder.embed(TEXTS)
    encoder._cache.clear()
    mixed = shuffled(range(len(TEXTS)), "order", order)
    start, found = 0, np.empty_like(whole)
    while start < len(mixed):
        size = (1, 2, 7, 33)[integer(order, start) % 4]
        chosen = mixed[start : start + size]
        found[chosen] = encoder.embed([TEXTS[i] for i in chosen])
        encoder._cache.clear()
        start += size
    assert (found.view(np.uint32) == whole.view(np.uint32)).all()


def test_vectors_agree_with_the_library(encoder: Encoder) -> None:
    theirs = encoder._model.encode(TEXTS, normalize_embeddings=True, show_progress_bar=False)
    assert (1 - (theirs * encoder.embed(TEXTS)).sum(axis=1)).max() < 1e-5


def test_text_beyond_the_window_counts(encoder: Encoder) -> None:
    page = "the sea is wide and the sky is blue " * 60
    plain, corrected = encoder.embed([page, page + "but the Earth is a globe and no disc at all"])
    assert float(plain @ corrected) < 0.9999


@pytest.mark.parametrize("text", ["😀", "地球は丸い", "\ud800", "\x00", "a" * 5000, "مرحبا"])
def test_odd_text_gets_a_vector(encoder: Encoder, text: str) -> None:
    cleaned = text.encode("utf-8", "replace").decode()
    assert np.isfinite(encoder.embed([cleaned])).all()


def test_no_text_is_fine(encoder: Encoder) -> None:
    assert encoder.embed([]).shape == (0, encoder.dimension)


def test_tampered_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(b"not the weights")
    monkeypatch.setattr(embedding, "packaged_weights", lambda: tmp_path)
    monkeypatch.delenv("ECHOSIM_ENCODER", raising=False)
    with pytest.raises(EncoderError, match=r"is not the published encoder.*reinstall echosim\[offline\]"):
        load_encoder()


def test_a_folder_is_loaded_by_path_and_has_the_same_identity(tmp_path: Path, encoder: Encoder) -> None:
    source = embedding.packaged_weights()
    assert source is not None
    folder = tmp_path / "mine"
    shutil.copytree(source, folder, copy_function=lambda a, b: Path(b).symlink_to(a))
    other = load_encoder(str(folder))
    assert other.name == str(folder)
    assert other.identity == encoder.identity


def test_a_folder_that_is_no_model_says_so(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match=r"cannot be loaded"):
        load_encoder(str(tmp_path))


def test_vectors_that_are_no_direction_are_refused(encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        encoder, "_forward", lambda texts: np.full((len(texts), encoder.dimension), np.nan, dtype=np.float32)
    )
    with pytest.raises(EncoderError, match="not a finite direction"):
        encoder.embed(["a text that was never embedded before"])
