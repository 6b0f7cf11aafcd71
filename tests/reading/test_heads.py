from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from echosim.checks.separation import auc
from echosim.reading import heads, ranked_replies
from echosim.reading.embedding import Encoder
from echosim.reading.learned import learned_for
from echosim.reading.sentences import split
from echosim.replies import generic_bank


def test_what_is_learned_from_is_balanced_and_holds_no_judge() -> None:
    rows = heads.examples()
    by_stance = Counter(stance for _, stance, weight in rows if weight == 1.0)
    assert set(by_stance) == {1, -1, 0}
    assert min(by_stance.values()) >= 600
    assert max(by_stance.values()) - min(by_stance.values()) <= 0.02 * min(by_stance.values())
    texts = {text for text, _, _ in rows}
    for writer in ("dev", "test"):
        assert not texts & {
            reply.text for topic in generic_bank.load(writer).topics for reply in topic.replies
        }


def test_sentences_that_no_bank_has_are_told_apart(encoder: Encoder) -> None:
    fitted = learned_for(encoder).heads
    accepts = [
        "You hit the mark with that.",
        "Indeed, your suspicion is correct.",
        "I fully share this conviction.",
        "Everything I know fits with what you say.",
        "Trust that instinct, it has not failed you.",
        "It happened just as you describe.",
    ]
    rejects = [
        "That turns out to be untrue.",
        "Sadly this is a misunderstanding.",
        "There is nothing behind this claim.",
        "I see no sign of that at all.",
        "The records show something else.",
        "It did not happen the way you describe.",
    ]
    learned = {sentence for text, _, _ in heads.examples() for sentence in split(text)}
    assert not learned & {*accepts, *rejects}
    up, down = fitted.leanings(encoder.read(accepts)), fitted.leanings(encoder.read(rejects))
    assert auc(up.tolist(), down.tolist()) > 0.9
    assert up.mean() > 0.5
    assert down.mean() < -0.5
    warm = fitted.warm_logits(
        encoder.read(["I am so happy that you shared this!", "You are wonderful, dear friend."])
    )
    cold = fitted.warm_logits(
        encoder.read(["Nothing further to report.", "This point is irrelevant to the matter."])
    )
    assert warm.min() > cold.max()


def test_leanings_are_half_log_odds_and_half_a_direction_of_their_spread(
    encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [f"{word} {number}" for number in range(30) for word in ("Yes, exactly", "No, never", "Lunch is")]
    rows = [(text, stance, 1.0) for text, stance in zip(texts, (1, -1, 0) * 30, strict=True)]
    monkeypatch.setattr(heads, "examples", lambda: rows)

    def leanings(direction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        monkeypatch.setattr(ranked_replies, "fit", lambda features: direction.copy())
        fitted = heads.fit(encoder.read)
        odds = np.exp(fitted.logits(encoder.read(texts)))
        return fitted.leanings(encoder.read(texts)), np.log(odds[:, 0] / odds[:, 1])

    said = encoder.read(texts)
    width = said.tone.shape[1] + said.meaning.shape[1]
    one, other = np.eye(width)[0], np.eye(width)[-1]
    for direction in (one, other, 7 * other):
        found, log_odds = leanings(direction)
        rest = 2 * found - log_odds
        assert rest.std() == pytest.approx(log_odds.std(), rel=1e-6)
    assert np.allclose(leanings(other)[0], leanings(7 * other)[0])
    assert not np.allclose(leanings(other)[0], leanings(one)[0])
