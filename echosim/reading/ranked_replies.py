"""A direction along which, within each belief, replies that accept it lie above replies that refute it.

A sentence of a reply need not show the reply's stance, so a head that is taught every sentence is taught
much noise. Here a reply is the mean of its sentences and is set against replies about the same belief: the
two of a minimal pair, or one reply and the mean of the other side's. Short answers that name no belief are
set against one another. Logistic regression on these differences, without an intercept, is the pairwise
ranking loss of a linear score (Herbrich et al. 2000, "Large Margin Rank Boundaries for Ordinal Regression",
here with the logistic loss).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from echosim.reading.sentences import split
from echosim.replies import generic_bank

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Features = Callable[[Sequence[str]], Floats]

PENALTY = 0.02
"""C of the regression on standardised features; this and the weight were chosen on left-out writers."""
TOPIC_WEIGHT = 4.0
"""Weight of a reply about a topic, beside 1 for a pair or a short answer: topics are few, and nearer to real
talk."""


def fit(features: Features) -> Floats:
    """The direction, shape (t + d,).

    Args:
        features: of sentences, standardised, shape (n, t + d).
    """
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    rows, weights = zip(*chain(_of_topics(features), _of_pairs(features), _of_free(features)), strict=True)
    # The regression wants two classes: every second difference is taken the other way round.
    sides = np.where(np.arange(len(rows)) % 2, -1.0, 1.0)
    model = LogisticRegression(C=PENALTY, fit_intercept=False, max_iter=2000, tol=1e-5)
    model.fit(np.stack(rows) * sides[:, None], sides, sample_weight=weights)
    direction: Floats = model.coef_[0]
    return direction


def _of_topics(features: Features) -> Iterator[tuple[Floats, float]]:
    """Each reply of one side against the mean of the other."""
    for writer in generic_bank.TRAIN:
        for topic in generic_bank.load(writer).topics:
            for row in _apart([(reply.text, reply.stance) for reply in topic.replies], features):
                yield row, TOPIC_WEIGHT


def _of_pairs(features: Features) -> Iterator[tuple[Floats, float]]:
    for name in generic_bank.PAIRED:
        for belief in generic_bank.load_paired(name):
            up = _means([pair.accepting for pair in belief.pairs], features)
            down = _means([pair.refuting for pair in belief.pairs], features)
            for row in up - down:
                yield row, 1.0


def _of_free(features: Features) -> Iterator[tuple[Floats, float]]:
    """Sentences without a topic, all against all."""
    free = chain(
        *(generic_bank.load(writer).free for writer in generic_bank.TRAIN), generic_bank.load_plain()[0]
    )
    for row in _apart([(sentence.text, sentence.stance) for sentence in free], features):
        yield row, 1.0


def _apart(said: Sequence[tuple[str, int]], features: Features) -> Iterator[Floats]:
    """Each text of one side less the mean of the other, accepting less refuting."""
    up, down = (_means([text for text, stance in said if stance == side], features) for side in (1, -1))
    yield from up - down.mean(axis=0)
    yield from up.mean(axis=0) - down


def _means(replies: Sequence[str], features: Features) -> Floats:
    """Mean over the sentences of each reply, shape (len(replies), t + d)."""
    import numpy as np

    own = [split(reply) for reply in replies]
    found = features([sentence for sentences in own for sentence in sentences])
    ends = np.cumsum([len(sentences) for sentences in own])
    means: Floats = np.add.reduceat(found, np.concatenate([[0], ends[:-1]]), axis=0)
    return means / np.diff(ends, prepend=0)[:, None]
