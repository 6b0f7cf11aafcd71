from __future__ import annotations

from collections import Counter

import numpy as np

from echosim.reading import heads
from echosim.reading.embedding import Encoder
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
    fitted = heads.fit(encoder.read)
    accepts = [
        "You hit the mark with that.",
        "Indeed, your suspicion is correct.",
        "I fully share this conviction.",
    ]
    rejects = [
        "That turns out to be untrue.",
        "Sadly this is a misunderstanding.",
        "There is nothing behind this claim.",
    ]
    learned = {sentence for text, _, _ in heads.examples() for sentence in split(text)}
    assert not learned & {*accepts, *rejects}
    up, down = fitted.leanings(encoder.read(accepts)), fitted.leanings(encoder.read(rejects))
    assert up.min() > 0 > down.max()
    warm = fitted.warm_logits(
        encoder.read(["I am so happy that you shared this!", "You are wonderful, dear friend."])
    )
    cold = fitted.warm_logits(
        encoder.read(["Nothing further to report.", "This point is irrelevant to the matter."])
    )
    assert warm.min() > cold.max()


def test_leanings_are_log_odds(encoder: Encoder) -> None:
    fitted = heads.fit(encoder.read)
    said = encoder.read(["Yes, exactly.", "No, that is wrong.", "What did you have for lunch?"])
    odds = np.exp(fitted.logits(said))
    assert np.allclose(fitted.leanings(said), np.log(odds[:, 0] / odds[:, 1]))
    assert fitted.leanings(said)[0] > fitted.leanings(said)[1]
