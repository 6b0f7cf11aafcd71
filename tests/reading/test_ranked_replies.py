from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from echosim import draws
from echosim.reading import ranked_replies
from echosim.reading.sentences import split
from echosim.replies import generic_bank


def sides() -> dict[str, int]:
    """Each sentence of the train bank, with the stance of the reply that it stands in."""
    found: dict[str, int] = {}
    for writer in generic_bank.TRAIN:
        for topic in generic_bank.load(writer).topics:
            for reply in topic.replies:
                found.update(dict.fromkeys(split(reply.text), reply.stance))
    for name in generic_bank.PAIRED:
        for belief in generic_bank.load_paired(name):
            for pair in belief.pairs:
                found.update(dict.fromkeys(split(pair.accepting), 1))
                found.update(dict.fromkeys(split(pair.refuting), -1))
    free = [sentence for writer in generic_bank.TRAIN for sentence in generic_bank.load(writer).free]
    for sentence in (*free, *generic_bank.load_plain()[0]):
        found.update(dict.fromkeys(split(sentence.text), sentence.stance))
    return found


def test_it_finds_what_tells_the_sides_of_one_belief_apart() -> None:
    side = sides()

    def features(texts: Sequence[str]) -> np.ndarray:
        """Side under noise; the length of the text, which tells beliefs apart; noise."""
        return np.array(
            [
                [
                    side[text] + 3 * (draws.uniform(text, "a") - 0.5),
                    len(text) / 20,
                    draws.uniform(text, "b") - 0.5,
                ]
                for text in texts
            ]
        )

    found = ranked_replies.fit(features)
    assert found[0] > 10 * abs(found[1])
    assert found[0] > 10 * abs(found[2])
    assert np.array_equal(found, ranked_replies.fit(features))


def test_no_judge_is_among_what_is_ranked() -> None:
    seen: set[str] = set()

    def features(texts: Sequence[str]) -> np.ndarray:
        seen.update(texts)
        return np.array([[draws.uniform(text)] for text in texts])

    ranked_replies.fit(features)
    writers: tuple[generic_bank.Writer, ...] = ("dev", "test")
    judged = {
        sentence
        for writer in writers
        for topic in generic_bank.load(writer).topics
        for reply in topic.replies
        for sentence in split(reply.text)
        if len(sentence.split()) > 6  # shorter ones are anybody's
    }
    assert not seen & judged
