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
from echosim.reading.lens import Lens
from echosim.reading.sentences import split
from echosim.reading.signals import content_emphasis
from echosim.reading.subject import of_statements
from echosim.replies import generic_bank


def some(seed: int, d: int = 6, t: int = 4) -> Lens:
    rng = np.random.default_rng(seed)
    return Lens(*(rng.normal(size=(d + t + 1, d)).astype(np.float32) for _ in range(2)))


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
            values[reply.stance].append(axis.contrast(seen_by.on_replies(said), content_emphasis(len(said))))
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
    stored = learned_for(encoder).lens
    width = stored.said.shape[0] - encoder.dimension - 1
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
    monkeypatch.setattr(lens_fit, "STEP", 0.1)
    steps: list[tuple[int, int]] = []
    fitted = lens_fit.fit(toy, lambda done, of: steps.append((done, of)))
    assert steps[0] == (0, lens_fit.EPOCHS)
    assert steps[-1] == (lens_fit.EPOCHS, lens_fit.EPOCHS)

    def right(seen_by: Lens) -> float:
        """Share of new sentences that lie nearer to the new statement of their side, over many beliefs."""
        found = []
        for belief in range(20):
            new = toy([f"{word} new {belief} {n}" for n in range(10) for word in ("yes", "no")])
            held = seen_by.on_statements(toy([f"yes statement {belief}", f"no statement {belief}"]))
            toward = seen_by.on_replies(new) @ (held[0] - held[1])
            found += [float(value * side > 0) for value, side in zip(toward, [1, -1] * 10, strict=True)]
        return fmean(found)

    assert right(fitted) > right(plain(8, 2)) + 0.1
    again = lens_fit.fit(toy)
    assert np.array_equal(again.said, fitted.said)
    assert np.array_equal(again.held, fitted.held)
