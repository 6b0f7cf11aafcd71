from __future__ import annotations

from collections import Counter

from echosim.inputs.personas import load_personas, shipped
from echosim.reading import heads
from echosim.reading.embedding import Encoder


def test_the_bank_is_large_balanced_and_about_nobodys_claim() -> None:
    rows = heads.bank_sentences()
    free = Counter(label for _, label, weight in rows if weight == 1.0)
    assert min(free.values()) >= 100
    assert len({text for text, _, _ in rows}) == len(rows)
    assert len(heads.generic_bank()["topics"]) >= 15
    known = {persona.claim.text.casefold() for persona in load_personas(shipped())}
    for topic in heads.generic_bank()["topics"]:
        assert topic["claim"].casefold() not in known


def test_sentences_that_no_bank_has_are_told_apart(encoder: Encoder) -> None:
    fitted = heads.fit(encoder.embed)
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
    up = fitted.acceptance_shares(encoder.embed(accepts))
    down = fitted.acceptance_shares(encoder.embed(rejects))
    assert (up[:, 0] > up[:, 1]).all()
    assert (down[:, 1] > down[:, 0]).all()
    assert abs(up.sum(axis=1) - 1).max() < 1e-9
    warm = fitted.warm_logits(
        encoder.embed(["I am so happy that you shared this!", "You are wonderful, dear friend."])
    )
    cold = fitted.warm_logits(
        encoder.embed(["Nothing further to report.", "This point is irrelevant to the matter."])
    )
    assert warm.min() > cold.max()
