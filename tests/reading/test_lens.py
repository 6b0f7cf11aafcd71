"""The lens sees more than the bare eye of what writers say whom it never saw."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

import numpy as np
import pytest

from echosim import draws
from echosim.checks.separation import auc
from echosim.reading import lens_fit
from echosim.reading.embedding import Encoder
from echosim.reading.encoded import Encoded
from echosim.reading.learned import learned_for
from echosim.reading.lens import Lens, View
from echosim.reading.sentences import split
from echosim.reading.signals import content_emphasis
from echosim.reading.subject import of_statements
from echosim.replies import generic_bank


def some(seed: int, d: int = 6, t: int = 4) -> Lens:
    rng = np.random.default_rng(seed)
    shapes = ((d + t, 3), (3, d), (d,))
    return Lens(*(View(*(rng.normal(size=shape).astype(np.float32) for shape in shapes)) for _ in range(2)))


def texts(seed: int, n: int, d: int = 6, t: int = 4) -> Encoded:
    rng = np.random.default_rng(seed)
    return Encoded(rng.normal(size=(n, d)).astype(np.float32), rng.normal(size=(n, t)).astype(np.float32))


def plain(d: int, t: int) -> Lens:
    """Sees what there is."""
    bare = View(*(np.zeros(shape, dtype=np.float32) for shape in ((d + t, 1), (1, d), (d,))))
    return Lens(bare, bare)


def within_beliefs(encoder: Encoder, seen_by: Lens, writer: generic_bank.Writer) -> float:
    """Mean in-belief AUC of C on what this writer wrote."""
    found = []
    for topic in generic_bank.load(writer).topics:
        axis = of_statements(topic.affirming, topic.denying, encoder.read, seen_by).axis
        values: dict[int, list[float]] = {1: [], -1: [], 0: []}
        for reply in topic.replies:
            said = encoder.read(split(reply.text))
            values[reply.stance].append(axis.contrast(seen_by.said(said), content_emphasis(len(said))))
        found.append(auc(values[1], values[-1]))
    return fmean(found)


# --- what it does -----------------------------------------------------------------------------------------


def test_what_is_seen_has_unit_length_and_depends_on_the_text_alone() -> None:
    seen_by, said = some(1), texts(2, 5)
    for look in (seen_by.said, seen_by.held):
        assert np.allclose(np.linalg.norm(look(said), axis=1), 1, atol=1e-5)
        assert np.allclose(look(said)[2:3], look(said[2:3]), atol=1e-6)
    assert not np.allclose(seen_by.said(said), seen_by.held(said))


@pytest.mark.parametrize("writer", ["dev", "test"])
def test_it_sees_more_than_the_bare_eye_on_writers_that_it_never_saw(
    encoder: Encoder, writer: generic_bank.Writer
) -> None:
    stored = learned_for(encoder).lens
    width = len(stored.said.weights) - encoder.dimension
    bare = within_beliefs(encoder, plain(encoder.dimension, width), writer)
    assert within_beliefs(encoder, stored, writer) > bare + 0.03


def test_it_is_fitted_on_no_judge() -> None:
    taught = {sentences for lesson in lens_fit.lessons() for sentences, _ in lesson.replies}
    writers: tuple[generic_bank.Writer, ...] = ("dev", "test")
    for topic in (topic for writer in writers for topic in generic_bank.load(writer).topics):
        assert not taught & {tuple(split(reply.text)) for reply in topic.replies}


# --- fitting ----------------------------------------------------------------------------------------------


def toy(said: Sequence[str]) -> Encoded:
    """Vectors of texts: words of assent show a little in meaning and plainly in tone, the rest is noise."""

    def noise(text: str, n: int) -> list[float]:
        return [draws.uniform(text, place) - 0.5 for place in range(n)]

    side = np.array([1.0 if "yes" in text else -1.0 if "no" in text else 0.0 for text in said])
    meaning = 0.5 * np.array([noise(text, 8) for text in said])
    meaning[:, 1] += 1
    meaning[:, 0] += 0.1 * side
    meaning /= np.linalg.norm(meaning, axis=1, keepdims=True)
    tone = 0.5 * np.array([noise(f"tone of {text}", 2) for text in said])
    tone[:, 0] += side
    return Encoded(meaning.astype(np.float32), tone.astype(np.float32))


def test_fitting_finds_the_direction_that_tells_sides_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    def lesson(number: int) -> lens_fit.Lesson:
        said = tuple(
            ((f"{word} {number} {n}",), side) for n in range(4) for word, side in (("yes", 1), ("no", -1))
        )
        return lens_fit.Lesson(said, (((f"yes for {number}",), (f"no against {number}",), 1.0),))

    monkeypatch.setattr(lens_fit, "lessons", lambda: [lesson(number) for number in range(24)])
    monkeypatch.setattr(lens_fit, "STEP", 0.5)
    steps: list[tuple[int, int]] = []
    fitted = lens_fit.fit(toy, lambda done, of: steps.append((done, of)))
    assert steps[0] == (0, lens_fit.EPOCHS)
    assert steps[-1] == (lens_fit.EPOCHS, lens_fit.EPOCHS)

    def right(seen_by: Lens) -> float:
        """Share of new sentences that lie nearer to the new statement of their side, over many beliefs."""
        found = []
        for belief in range(20):
            new = toy([f"{word} new {belief} {n}" for n in range(10) for word in ("yes", "no")])
            held = seen_by.held(toy([f"yes statement {belief}", f"no statement {belief}"]))
            toward = seen_by.said(new) @ (held[0] - held[1])
            found += [float(value * side > 0) for value, side in zip(toward, [1, -1] * 10, strict=True)]
        return fmean(found)

    assert right(fitted) > right(plain(8, 2)) + 0.1
    again = lens_fit.fit(toy)
    for one, other in ((again.said, fitted.said), (again.held, fitted.held)):
        assert np.array_equal(one.weights, other.weights)
        assert np.array_equal(one.directions, other.directions)
        assert np.array_equal(one.offset, other.offset)


def test_a_view_of_full_rank_equals_the_map_that_was_fitted() -> None:
    rng = np.random.default_rng(5)
    d, t = 6, 4
    change, middle, spread = rng.normal(size=(d + t, d)), rng.normal(size=t), rng.uniform(1, 2, size=t)
    said = texts(6, 5, d, t)
    scaled = np.concatenate(
        [lens_fit.MEANING_SCALE * said.meaning, lens_fit.TONE_SCALE * (said.tone - middle) / spread], axis=1
    )
    expected = scaled[:, :d] + scaled @ change
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert np.allclose(lens_fit._view(change, middle, spread, d)(said), expected, atol=1e-5)
