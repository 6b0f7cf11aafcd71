"""The lens: kept without pickle, fitted anew for another bank, better than the bare eye on unseen writers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest

from echosim.checks.separation import auc
from echosim.errors import StorageError
from echosim.reading import lens, lens_fit
from echosim.reading.embedding import Encoder
from echosim.reading.encoded import Encoded
from echosim.reading.lens import Lens, lens_for, place, rounded
from echosim.reading.sentences import split
from echosim.reading.signals import emphasis
from echosim.reading.subject import of_statements
from echosim.replies import generic_bank


def some(seed: int, d: int = 6, t: int = 4) -> Lens:
    rng = np.random.default_rng(seed)
    return rounded(*(rng.normal(size=(d + t + 1, d)).astype(np.float32) for _ in range(2)))


def texts(seed: int, n: int, d: int = 6, t: int = 4) -> Encoded:
    rng = np.random.default_rng(seed)
    return Encoded(rng.normal(size=(n, d)).astype(np.float32), rng.normal(size=(n, t)).astype(np.float32))


def plain(d: int, t: int) -> Lens:
    """Sees what there is."""
    eye = np.concatenate([np.eye(d), np.zeros((t + 1, d))]).astype(np.float32)
    return Lens(eye, eye)


def within_beliefs(encoder: Encoder, seen_by: Lens, writer: generic_bank.Writer) -> float:
    """Mean in-belief AUC of C on what this writer wrote."""
    found = []
    for topic in generic_bank.load(writer).topics:
        axis = of_statements(topic.affirming, topic.denying, encoder.read, seen_by).axis
        values: dict[int, list[float]] = {1: [], -1: [], 0: []}
        for reply in topic.replies:
            said = encoder.read(split(reply.text))
            values[reply.stance].append(axis.contrast(seen_by.on_replies(said), emphasis(len(said))))
        found.append(auc(values[1], values[-1]))
    return fmean(found)


# --- what it does -----------------------------------------------------------------------------------------


def test_what_is_seen_has_unit_length_and_depends_on_the_text_alone() -> None:
    seen_by, said = some(1), texts(2, 5)
    for look in (seen_by.on_replies, seen_by.on_statements):
        assert np.allclose(np.linalg.norm(look(said), axis=1), 1, atol=1e-5)
        assert np.allclose(look(said)[2:3], look(said[2:3]), atol=1e-6)
    assert not np.allclose(seen_by.on_replies(said), seen_by.on_statements(said))


@pytest.mark.parametrize("writer", ["dev", "test"])
def test_it_sees_more_than_the_bare_eye_on_writers_that_it_never_saw(
    encoder: Encoder, writer: generic_bank.Writer
) -> None:
    stored = lens_for(encoder)
    width = stored.said.shape[0] - encoder.dimension - 1
    bare = within_beliefs(encoder, plain(encoder.dimension, width), writer)
    assert within_beliefs(encoder, stored, writer) > bare + 0.03


def test_it_is_fitted_on_no_judge() -> None:
    taught = {sentences for lesson in lens_fit.lessons() for sentences, _ in lesson.replies}
    writers: tuple[generic_bank.Writer, ...] = ("dev", "test")
    for topic in (topic for writer in writers for topic in generic_bank.load(writer).topics):
        assert not taught & {tuple(split(reply.text)) for reply in topic.replies}


# --- fitting ----------------------------------------------------------------------------------------------


def meaning_nothing(said: Sequence[str]) -> Encoded:
    """Vectors of which one direction of tone tells affirming words from denying ones."""
    rows = [np.random.default_rng(abs(hash(text)) % 2**32) for text in said]
    meaning = np.stack([rng.normal(size=8) for rng in rows])
    meaning /= np.linalg.norm(meaning, axis=1, keepdims=True)
    sign = [1.0 if "yes" in text else -1.0 if "no" in text else 0.0 for text in said]
    tone = np.stack([[side, rng.normal()] for side, rng in zip(sign, rows, strict=True)])
    return Encoded(meaning.astype(np.float32), tone.astype(np.float32))


def test_fitting_finds_the_direction_that_tells_sides_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    def lesson(number: int) -> lens_fit.Lesson:
        said = tuple(
            ((f"yes {number} {n}" if side > 0 else f"no {number} {n}",), side)
            for n in range(4)
            for side in (1, -1)
        )
        return lens_fit.Lesson(said, (((f"yes for {number}",), (f"no against {number}",), 1.0),))

    monkeypatch.setattr(lens_fit, "lessons", lambda: [lesson(number) for number in range(12)])
    monkeypatch.setattr(lens_fit, "STEP", 3e-2)
    steps: list[tuple[int, int]] = []
    fitted = lens_fit.fit(meaning_nothing, lambda done, of: steps.append((done, of)))
    assert steps[0] == (0, lens_fit.EPOCHS)
    assert steps[-1] == (lens_fit.EPOCHS, lens_fit.EPOCHS)
    new = meaning_nothing(["yes new", "no new", "yes statement", "no statement"])
    seen, held = fitted.on_replies(new), fitted.on_statements(new)
    toward = seen[:2] @ held[2] - seen[:2] @ held[3]
    assert toward[0] > 0.3
    assert toward[1] < -0.3
    assert lens_fit.fit(meaning_nothing).digest == fitted.digest


# --- keeping ----------------------------------------------------------------------------------------------


def test_a_kept_lens_comes_back_number_for_number(tmp_path: Path) -> None:
    path = place(tmp_path, "some")
    lens.keep(some(3), path)
    back = lens._loaded(path)
    assert back is not None
    assert back.digest == some(3).digest
    assert [each.name for each in path.parent.iterdir()] == ["some.npz"]


@pytest.mark.parametrize("damage", ["cut", "empty", "text", "pickle", "missing", "other bank"])
def test_a_damaged_or_foreign_file_is_no_lens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    path = place(tmp_path, "some")
    lens.keep(some(3), path)
    whole = path.read_bytes()
    if damage == "pickle":
        np.savez(path, said=np.array([{}], dtype=object), held=np.zeros(3), basis=np.zeros(3))
    elif damage == "missing":
        path.unlink()
    elif damage == "other bank":
        monkeypatch.setattr(lens, "_basis", lambda: "00")
    else:
        path.write_bytes({"cut": whole[:-200], "empty": b"", "text": b"not a lens"}[damage])
    assert lens._loaded(path) is None


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "lenses").write_text("in the way")
    with pytest.raises(StorageError, match="lenses"):
        lens.keep(some(3), place(tmp_path, "some"))


def test_an_unknown_encoder_is_fitted_once_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Unknown:
        identity, read = "unknown", None

    fits: list[object] = []
    monkeypatch.setenv("ECHOSIM_CACHE", str(tmp_path))
    monkeypatch.setattr(lens_fit, "fit", lambda read: fits.append(read) or some(5))
    first, second = lens_for(Unknown()), lens_for(Unknown())  # type: ignore[arg-type]
    assert len(fits) == 1
    assert first.digest == second.digest
