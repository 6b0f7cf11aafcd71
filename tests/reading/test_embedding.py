from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from echosim.draws import integer, shuffled
from echosim.errors import EncoderError
from echosim.reading import embedding, model_files, transformer
from echosim.reading.calibration_cache import cache_folder
from echosim.reading.embedding import Encoder, load_encoder
from echosim.reading.encoded import Encoded, row_bytes
from echosim.reading.forward import EndToEnd
from echosim.reading.model_files import packaged_weights
from echosim.reading.vector_cache import NAME, VectorCache

WORDS = [
    "the", "earth", "is", "round", "and", "ships", "vanish", "hull", "first", "beyond", "the", "horizon",
    "every", "day",
]  # fmt: skip
TEXTS = [" ".join(shuffled(WORDS, n))[: 8 + integer(n, "cut") % 70] for n in range(60)]
ODD = ["", " ", "😀", "地球は丸い", "\ud800", "\ud83d\ude00", "\x00", "a" * 5000, "مرحبا", "\n\t\r", "\u200b"]


@pytest.fixture(scope="module")
def bare() -> Encoder:
    """The default encoder without vectors on disk."""
    return load_encoder(cached=False)


@pytest.fixture(scope="module")
def fast() -> Encoder:
    try:
        return load_encoder(fast=True, cached=False)
    except EncoderError as error:
        pytest.skip(str(error))


def test_numpy_multiplies_in_one_thread_whatever_was_set() -> None:
    with threadpool_limits(4, user_api="blas"):
        load_encoder(cached=False)
        held = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
    assert held
    assert set(held) == {1}


@pytest.mark.slow
def test_a_calibration_has_the_same_bits_on_any_number_of_cores(tmp_path: Path) -> None:
    program = """
import sys
import numpy
import echosim as es
from echosim.reading import perception
from echosim.reading.embedding import load_encoder
real = perception.fit
def fit(**rows):
    print(numpy.asarray([rows["totals"], rows["contrasts"], rows["generics"]]).tobytes().hex())
    return real(**rows)
perception.fit = fit
reader = perception.StanceReader(load_encoder(cached=False))
reader.prepare([p for p in es.load_personas(sys.argv[1]) if p.role == "mirror"])
"""

    family = str(Path(__file__).parents[2] / "personas" / "contrail-chemicals")

    def bits_with(threads: str) -> str:
        own = {"ECHOSIM_CACHE": str(tmp_path / threads), "OMP_NUM_THREADS": threads}
        done = subprocess.run(
            [sys.executable, "-c", program, family],
            env=os.environ | own,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    one, two = bits_with("1"), bits_with("2")
    assert one
    assert one == two


def bits(encoded: Encoded) -> bytes:
    return encoded.meaning.tobytes() + encoded.tone.tobytes()


def assert_same_bits_in_any_company(encoder: Encoder, order: int) -> None:
    encoder._memory.clear()
    whole = encoder.read(TEXTS)
    mixed = shuffled(range(len(TEXTS)), "order", order)
    start = 0
    while start < len(mixed):
        size = (1, 2, 7, 33)[integer(order, start) % 4]
        chosen = mixed[start : start + size]
        encoder._memory.clear()
        found = encoder.read([TEXTS[i] for i in chosen])
        assert found.meaning.tobytes() == whole.meaning[chosen].tobytes()
        assert found.tone.tobytes() == whole.tone[chosen].tobytes()
        start += size


def test_vectors_are_unit_and_finite(bare: Encoder) -> None:
    read = bare.read(TEXTS)
    assert read.meaning.shape == (60, bare.dimension)
    assert np.allclose(np.linalg.norm(read.meaning, axis=1), 1, atol=1e-5)
    assert np.isfinite(read.tone).all()
    assert len(read.tone) == 60


@pytest.mark.parametrize("order", range(3))
def test_a_vector_depends_on_its_text_alone_to_the_last_bit(bare: Encoder, order: int) -> None:
    assert_same_bits_in_any_company(bare, order)


def test_so_it_does_in_fast_form(fast: Encoder) -> None:
    assert_same_bits_in_any_company(fast, 1)


def test_the_default_encoder_is_read_end_to_end(bare: Encoder) -> None:
    assert isinstance(bare._model._way, EndToEnd)


def test_vectors_agree_with_the_library(bare: Encoder) -> None:
    library = model_files.opened(model_files.DEFAULT_ENCODER)
    theirs = library.encode(TEXTS, normalize_embeddings=True, show_progress_bar=False)
    assert (1 - (theirs.astype(np.float64) * bare.embed(TEXTS)).sum(axis=1)).max() < 1e-6


def test_fast_is_another_encoder_and_close_to_the_exact_one(bare: Encoder, fast: Encoder) -> None:
    assert fast.name == f"{bare.name} (bfloat16)"
    assert fast.identity != bare.identity
    one, other = fast.embed(TEXTS), bare.embed(TEXTS)
    assert one.dtype == np.float32
    assert np.allclose(np.linalg.norm(one, axis=1), 1, atol=1e-5)
    shift = np.abs(one @ one.T - other @ other.T)
    assert 0 < np.quantile(shift, 0.99) < 5e-3


def test_fast_needs_a_machine_that_has_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(transformer, "_features", lambda: {"avx2": True, "avx512_bf16": False})
    with pytest.raises(EncoderError, match=r"no bfloat16 .*leave fast out"):
        load_encoder(fast=True)


def test_text_beyond_the_window_counts(bare: Encoder) -> None:
    page = "the sea is wide and the sky is blue " * 60
    plain, corrected = bare.embed([page, page + "but the Earth is a globe and no disc at all"])
    assert float(plain @ corrected) < 0.9999


@pytest.mark.parametrize("text", ODD)
def test_odd_text_gets_a_vector(bare: Encoder, text: str) -> None:
    read = bare.read([text, "and a plain one"])
    assert np.allclose(np.linalg.norm(read.meaning, axis=1), 1, atol=1e-5)
    assert np.isfinite(read.tone).all()


def test_half_characters_that_make_a_whole_one_are_it(bare: Encoder) -> None:
    halves, whole = bare.embed(["so \ud83d\ude00", "so 😀"])
    assert halves.tobytes() == whole.tobytes()


@pytest.mark.slow
def test_ten_megabytes_are_read_in_little_memory() -> None:
    import subprocess
    import sys

    code = """
import resource
from echosim.reading.embedding import load_encoder
encoder = load_encoder(cached=False)
encoder.embed(["a"])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
encoder.embed(["the sea is wide and blue " * 400_000])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert int(out) < 300_000  # kilobytes


def test_no_text_is_fine(bare: Encoder) -> None:
    assert bare.embed([]).shape == (0, bare.dimension)


def test_repeats_are_read_once(bare: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    real = bare._model.vectors

    def counted(rows: list[list[int]]) -> np.ndarray:
        seen.append(len(rows))
        return real(rows)

    monkeypatch.setattr(bare._model, "vectors", counted)
    found = bare.embed(["once and for all"] * 50 + ["another one"] + ["once and for all"])
    assert sum(seen) == 2
    assert found[0].tobytes() == found[49].tobytes() == found[51].tobytes()
    assert found[50].tobytes() != found[0].tobytes()


def test_memory_keeps_the_newest_rows_alone(bare: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "CACHE_ROWS", 10)
    monkeypatch.setattr(embedding, "ROWS", 7)
    found = bare.embed(TEXTS)
    assert len(bare._memory) == 10
    assert bare.embed(TEXTS).tobytes() == found.tobytes()


def test_reading_works_in_a_loop_and_from_threads(bare: Encoder) -> None:
    async def crowd() -> list[Encoded]:
        return await asyncio.gather(*(asyncio.to_thread(bare.read, [text]) for text in TEXTS[:8]))

    bare._memory.clear()
    found = asyncio.run(crowd())
    assert b"".join(one.meaning.tobytes() for one in found) == bare.embed(TEXTS[:8]).tobytes()


# --- vectors on disk --------------------------------------------------------------------------------


@pytest.fixture
def on_disk(bare: Encoder, tmp_path: Path):
    """Makes encoders as new processes would: empty memory, one file."""

    def make() -> Encoder:
        return Encoder(
            bare._model,
            bare.name,
            VectorCache(tmp_path, "space", row_bytes(bare.dimension, bare._model.width)),
        )

    return make


def test_a_text_is_embedded_once_and_comes_back_bit_for_bit(on_disk, monkeypatch: pytest.MonkeyPatch) -> None:
    first = on_disk().read(TEXTS)
    again = on_disk()
    monkeypatch.setattr(again._model, "vectors", lambda rows: pytest.fail("embedded again"))
    assert bits(again.read(TEXTS[::-1])) == bits(Encoded(first.meaning[::-1], first.tone[::-1]))


def test_new_texts_among_known_ones_are_embedded(on_disk, bare: Encoder) -> None:
    on_disk().read(TEXTS[:30])
    assert bits(on_disk().read(TEXTS)) == bits(bare.read(TEXTS))


def test_without_a_usable_disk_vectors_are_the_same(on_disk, bare: Encoder, tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    assert bits(on_disk().read(TEXTS)) == bits(bare.read(TEXTS))


def test_the_file_lies_in_the_cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECHOSIM_CACHE", str(tmp_path / "here"))
    assert cache_folder() == tmp_path / "here"
    load_encoder().embed(["something new"])
    assert (tmp_path / "here" / NAME).is_file()


# --- loading ----------------------------------------------------------------------------------------


def test_tampered_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(b"not the weights")
    monkeypatch.setattr(model_files, "packaged_weights", lambda: tmp_path)
    monkeypatch.delenv("ECHOSIM_ENCODER", raising=False)
    with pytest.raises(EncoderError, match=r"is not the published encoder.*reinstall echosim\[offline\]"):
        load_encoder()


def test_a_folder_is_loaded_by_path_and_has_the_same_identity(tmp_path: Path, bare: Encoder) -> None:
    source = packaged_weights()
    assert source is not None
    folder = tmp_path / "mine"
    shutil.copytree(source, folder, copy_function=lambda a, b: Path(b).symlink_to(a))
    other = load_encoder(str(folder))
    assert other.name == str(folder)
    assert other.identity == bare.identity


@pytest.mark.parametrize("spoilt", ["", "config.json", "model.safetensors", "modules.json", "tokenizer.json"])
def test_a_folder_that_is_no_model_says_so(tmp_path: Path, spoilt: str) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    if spoilt:
        source = packaged_weights()
        assert source is not None
        shutil.copytree(source, folder, dirs_exist_ok=True)
        (folder / "vocab.txt").unlink()
        (folder / spoilt).write_bytes(b"{")
    with pytest.raises(EncoderError, match=r"encoder folder '.*model' cannot be loaded"):
        load_encoder(str(folder))


@pytest.mark.parametrize("name", ["./nowhere/at/all", "bad name!!", "x" * 300, "a\x00b"])
def test_a_name_that_nothing_can_have_says_so(name: str) -> None:
    with pytest.raises(EncoderError, match="neither a folder nor a model that can be fetched"):
        load_encoder(name)


def test_a_hub_out_of_reach_is_asked_once_and_nothing_is_retried(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    asked: list[str] = []

    def no_answer(self: object, name: str, timeout: float) -> None:
        asked.append(name)
        raise ConnectionError("name not known")

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", no_answer)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    with pytest.raises(EncoderError, match=r"encoder 'nobody/nothing-1b' is neither .*couldn't"):
        load_encoder("nobody/nothing-1b")
    assert asked == ["nobody/nothing-1b"]


def test_the_default_without_package_and_hub_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_files, "packaged_weights", lambda: None)
    monkeypatch.setattr(model_files, "_fetched_before", lambda name: False)
    monkeypatch.setattr(model_files, "_hub_answers", lambda name: False)
    monkeypatch.setattr(model_files, "DEFAULT_ENCODER", "nobody/nothing-1b")
    with pytest.raises(EncoderError, match=r"pip install 'echosim\[offline\]'"):
        load_encoder("nobody/nothing-1b")


def test_the_environment_names_an_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECHOSIM_ENCODER", "./nowhere/at/all")
    with pytest.raises(EncoderError, match=r"\./nowhere/at/all"):
        load_encoder()


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0])
def test_vectors_that_are_no_direction_are_refused(
    bare: Encoder, monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    width = bare._model.width
    monkeypatch.setattr(
        bare._model, "vectors", lambda rows: np.full((len(rows), width), value, dtype=np.float32)
    )
    with pytest.raises(EncoderError, match="not a finite direction"):
        bare.embed([f"a text that gives {value}"])
    monkeypatch.undo()
    assert np.isfinite(bare.embed([f"a text that gives {value}"])).all()
