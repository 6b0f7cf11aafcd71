from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from echosim.draws import shuffled
from echosim.errors import EncoderError
from echosim.reading import model_files, static
from echosim.reading.embedding import Encoder, load_encoder
from tests.reading import tiny_models

TEXTS = [" ".join(shuffled(tiny_models.WORDS, n)[: 1 + n % 11]) for n in range(40)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A static model of the library, made by hand."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    made = tmp_path_factory.mktemp("static")
    cuts = tiny_models.tokenizer()
    weights = np.sin(np.arange(len(cuts) * 16, dtype=np.float32) * 7.7).reshape(-1, 16)
    module = StaticEmbedding(cuts, embedding_weights=weights)
    SentenceTransformer(modules=[module], device="cpu").save(str(made), create_model_card=False)
    return made


@pytest.fixture(scope="module")
def encoder(folder: Path) -> Encoder:
    return load_encoder(str(folder), cached=False)


def test_vectors_are_the_librarys(folder: Path, encoder: Encoder) -> None:
    theirs = model_files.opened(str(folder)).encode(TEXTS, normalize_embeddings=True)
    read = encoder.read(TEXTS)
    assert (1 - (theirs.astype(np.float64) * read.meaning).sum(axis=1)).max() < 1e-6
    assert np.allclose(read.tone, read.meaning, rtol=5e-4, atol=1e-7)  # kept in half precision
    assert (encoder.dimension, len(encoder.identity), encoder.name) == (16, 16, str(folder))


def test_the_same_bits_in_any_company(encoder: Encoder) -> None:
    whole = encoder.embed(TEXTS)
    encoder._memory.clear()
    assert encoder.embed(TEXTS[::-1]).tobytes() == whole[::-1].tobytes()
    encoder._memory.clear()
    assert encoder.embed([TEXTS[7]]).tobytes() == whole[[7]].tobytes()


@pytest.mark.parametrize("text", ["", "😀", "\x00", "\ud800", "地球", "round " * 100_000])
def test_odd_text_gets_a_vector(encoder: Encoder, text: str) -> None:
    assert np.linalg.norm(encoder.embed([text])) == pytest.approx(1, abs=1e-5)


def test_a_long_text_counts_to_its_end(encoder: Encoder) -> None:
    one, other = encoder.embed(["the sea " * 20_000, "the sea " * 20_000 + "no"])
    assert one.tobytes() != other.tobytes()


def test_it_has_no_fast_form(folder: Path) -> None:
    for name in (str(folder), "static"):
        with pytest.raises(EncoderError, match="leave fast out"):
            load_encoder(name, fast=True)


def test_names() -> None:
    assert static.source_of("static") == model_files.DEFAULT_ENCODER
    assert static.source_of("static:") == model_files.DEFAULT_ENCODER
    assert static.source_of("static:./mine") == "./mine"
    assert static.source_of("./static") is None
    assert static.source_of("statically") is None


def test_without_model2vec_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tiny_models.model(tmp_path)
    monkeypatch.setattr(static, "_has_model2vec", lambda: False)
    monkeypatch.setenv("ECHOSIM_CACHE", str(tmp_path / "cache"))
    with pytest.raises(EncoderError, match=r"pip install 'echosim\[static\]'"):
        load_encoder(f"static:{source}")


def test_a_source_that_is_not_there_says_so() -> None:
    with pytest.raises(EncoderError, match=r"\./nowhere/at/all"):
        load_encoder("static:./nowhere/at/all")


def test_what_cannot_be_made_static_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(teacher: object, folder: Path) -> None:
        raise ValueError("no vocabulary")

    source = tiny_models.model(tmp_path)
    monkeypatch.setattr(static, "_has_model2vec", lambda: True)
    monkeypatch.setattr(static, "_distil", broken)
    monkeypatch.setenv("ECHOSIM_CACHE", str(tmp_path / "cache"))
    with pytest.raises(EncoderError, match="cannot be made static: no vocabulary"):
        load_encoder(f"static:{source}", tell=lambda line: None)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ECHOSIM_CACHE", str(tmp_path / "file"))
    with pytest.raises(EncoderError, match=r"file.static: encoder .* cannot be kept there"):
        load_encoder(f"static:{source}", tell=lambda line: None)


@pytest.mark.slow
def test_it_is_distilled_once_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("model2vec")
    monkeypatch.setenv("ECHOSIM_CACHE", str(tmp_path))
    told: list[str] = []
    made = load_encoder("static", cached=False, tell=told.append)
    assert made.name == f"static of {model_files.DEFAULT_ENCODER}"
    assert made.dimension == static.DIMENSIONS
    assert len(told) == 2
    again = load_encoder("static", cached=False, tell=told.append)
    assert len(told) == 2
    assert again.identity == made.identity
    assert again.embed(TEXTS).tobytes() == made.embed(TEXTS).tobytes()
    one, other, third = made.embed(["The cat sleeps.", "A cat is sleeping.", "Taxes rose in March."])
    assert one @ other > one @ third + 0.2

    kept = next((tmp_path / "static").iterdir())
    assert [path.name for path in (tmp_path / "static").iterdir()] == [kept.name]
    shutil.rmtree(kept)
    kept.mkdir()
    mended = load_encoder("static", cached=False, tell=told.append)
    assert len(told) == 4
    assert mended.identity == made.identity
