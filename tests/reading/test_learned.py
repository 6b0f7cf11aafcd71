"""What an encoder learned is kept without pickle, comes back number for number, and is learned anew."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from echosim.errors import StorageError
from echosim.reading import learned
from echosim.reading.embedding import Encoder
from echosim.reading.heads import Heads
from echosim.reading.learned import Learned, learned_for, place
from echosim.reading.lens import Lens, View


def some(seed: int, d: int = 6, t: int = 4) -> Learned:
    rng = np.random.default_rng(seed)
    bias, warmth_bias = rng.normal(size=2).tolist()
    heads = Heads(
        rng.normal(size=(3, t + d)), rng.normal(size=3), rng.normal(size=t + d), bias,
        rng.normal(size=d), warmth_bias,
    )  # fmt: skip
    shapes = ((d + t, 3), (3, d), (d,))
    views = (View(*(rng.normal(size=shape) for shape in shapes)) for _ in range(2))
    return learned._rounded(heads, Lens(*views))


def test_what_is_kept_comes_back_number_for_number(tmp_path: Path) -> None:
    path = place(tmp_path, "some")
    learned.keep(some(3), path)
    back = learned._loaded(path)
    assert back is not None
    assert back.digest == some(3).digest != some(4).digest
    assert np.array_equal(back.heads.acceptance, some(3).heads.acceptance)
    assert back.heads.warmth_bias == some(3).heads.warmth_bias
    assert [each.name for each in path.parent.iterdir()] == ["some.npz"]


@pytest.mark.parametrize("damage", ["cut", "empty", "text", "pickle", "missing", "other bank", "half"])
def test_a_damaged_or_foreign_file_teaches_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    path = place(tmp_path, "some")
    learned.keep(some(3), path)
    whole = path.read_bytes()
    with np.load(path) as stored:
        basis = stored["basis"]
    if damage == "pickle":
        np.savez(path, said=np.array([{}], dtype=object), basis=basis)
    elif damage == "half":
        np.savez(path, said=np.zeros((3, 3)), basis=basis)
    elif damage == "missing":
        path.unlink()
    elif damage == "other bank":
        monkeypatch.setattr(learned, "_basis", lambda: "00")
    else:
        path.write_bytes({"cut": whole[:-200], "empty": b"", "text": b"nothing"}[damage])
    assert learned._loaded(path) is None


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "fitted").write_text("in the way")
    with pytest.raises(StorageError, match="fitted"):
        learned.keep(some(3), place(tmp_path, "some"))


def test_an_unknown_encoder_learns_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Unknown:
        identity = "unknown"

    lessons: list[object] = []
    monkeypatch.setenv("ECHOSIM_CACHE", str(tmp_path))
    monkeypatch.setattr(learned, "learn", lambda encoder: lessons.append(encoder) or some(5))
    first, second = learned_for(Unknown()), learned_for(Unknown())  # type: ignore[arg-type]
    assert len(lessons) == 1
    assert first.digest == second.digest


def test_what_the_default_encoder_learned_ships_for_the_present_bank(
    encoder: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ECHOSIM_CACHE", str(tmp_path))
    monkeypatch.setattr(
        learned, "learn", lambda *_: pytest.fail("run `echosim fit-reader --out echosim/reading`")
    )
    shipped = learned_for(encoder)
    assert shipped.lens.said.directions.shape[1] == encoder.dimension
    assert not list(tmp_path.iterdir())
