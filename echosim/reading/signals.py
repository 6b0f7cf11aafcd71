"""What the vectors of one reply show, before any calibration: pure numbers from pure geometry.

    T = w_C C/sd_C + w_C' C'/sd_C' + w_G u G/sd_G

C, C' as in axis.py; G = mean over sentences of the log-odds of accepting against refuting, by the acceptance
head, where a sentence that only gives the user's words back accepts them. G reads whether the reply accepts
what the USER says, so it is multiplied by u, the position that the user last asserted toward the claim: "You
are right" to a user who has given the claim up speaks against the claim. A simulated user knows its own
position; for chats of others it is read from the user's message (`user_position`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from echosim.reading.axis import Axis
from echosim.reading.heads import STANCES
from echosim.reading.learned import Learned
from echosim.reading.subject import Subject
from echosim.records import Record

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from echosim.reading.encoded import Encoded
    from echosim.reading.lens import Lens

USER_LEAN = 1.2
"""In units of sd_F: how far a user's message must lean against the belief before u passes 0, since people who
chat about a belief mostly hold it. Chosen on writer dev and left-out writers: replies to believers are read
as if their position were known, and most of those to people who deny the belief are read right."""
CLOSING, LONG = 4, 10
"""Sentences; see `emphasis`."""
OPENING = 0.5
"""Weight in C and C' of the first sentence of several: a reply opens by greeting, conceding or quoting, which
says less of what it holds; G reads how it takes the user and counts it whole. Chosen on left-out writers."""
ECHO = 3.0
"""Log-odds of accepting (19 to 1) of a sentence that only gives the user's own words back."""
SHORTEST_ECHO = 4
"""Words; shorter runs are anybody's."""
POINTS_FOR_FULL_LOAD = 3.0
"""Evidence points that make e = 1 (science of belief/engine.py: e = min(1, points / 3))."""
UNLISTED_WEIGHT = 0.5
"""A checkable statement that is no listed point counts half."""
_WORD = re.compile(r"\w+")
CHECKABLE = re.compile(
    r"\d|%|\b(?:study|studies|stud(?:y|ies) by|survey|trial|experiment|journal|university|institute|"
    r"report|records?|archive|measured|published|according to)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Weights:
    """Shares of the three signals in T; chosen by leaving writers of the generic bank out in turn."""

    contrast: float
    near: float
    generic: float

    def total(self, contrast: float, near: float, generic: float) -> float:
        """T of signals in units of their spread."""
        return self.contrast * contrast + self.near * near + self.generic * generic


WITH_STATEMENTS = Weights(contrast=1.0, near=0.5, generic=1.0)
WITH_EVIDENCE = Weights(contrast=1.0, near=1.0, generic=0.5)
"""A persona has its points on both sides, too: what is said then tells more than how. Chosen on bank dev."""
BELIEF_ALONE = Weights(contrast=0.5, near=0.0, generic=1.5)
"""Between stock frames, which share nearly all their words, C says less and C' nothing."""


class Constants(Record):
    """Scales and thresholds of one encoder, measured on bank train; see reading/constants.py."""

    sd_contrast: float
    sd_frames: float
    """sd_F: of C between stock frames, where only the belief is known."""
    sd_near: float
    sd_generic: float
    slope: float
    """k of s = tanh(k T) for beliefs that have statements but no calibration of their own."""
    slope_alone: float
    """The same where only the belief is known."""
    evidence_threshold: float
    """Cosine from which a sentence is one of the persona's points."""
    topic_threshold: float
    """Cosine from which a sentence is about the claim's subject."""
    warm_center: float
    warm_scale: float


@dataclass(frozen=True, slots=True)
class Signals:
    """What one reply shows; see the module docstring.

    Attributes:
        each: (C, C', G) of every sentence as if it were the whole reply.
    """

    contrast: float
    near: float
    generic: float
    position: float
    warmth: float
    on_topic: float
    matched: tuple[str, ...]
    unlisted: float
    each: tuple[tuple[float, float, float], ...] = ()

    def total(self, constants: Constants, weights: Weights = WITH_STATEMENTS) -> float:
        """T, unbounded; comparable only within one claim.

        Args:
            constants: of the encoder.
            weights: by what C was taken between; stock frames have a spread of their own.
        """
        return self._total(self.contrast, self.near, self.generic, constants, weights)

    def totals(self, constants: Constants, weights: Weights = WITH_STATEMENTS) -> list[float]:
        """T of every sentence as if it were the whole reply."""
        return [self._total(*sentence, constants, weights) for sentence in self.each]

    def _total(
        self, contrast: float, near: float, generic: float, constants: Constants, weights: Weights
    ) -> float:
        return weights.total(
            contrast / (constants.sd_frames if weights is BELIEF_ALONE else constants.sd_contrast),
            near / constants.sd_near,
            self.position * generic / constants.sd_generic,
        )


def read_signals(
    subject: Subject,
    learned: Learned,
    constants: Constants,
    sentences: Sequence[str],
    said: Encoded,
    asked: Sequence[str],
    user: Encoded,
    position: float,
) -> Signals:
    """Read one reply.

    Args:
        subject: the persona's claim.
        learned: with whose lens the subject was made.
        constants: of this encoder.
        sentences: the reply, n >= 1.
        said: their vectors.
        asked: the sentences of the user's message; may be none.
        user: their vectors.
        position: u, the user's position toward the claim, in [-1, 1].
    """
    import numpy as np

    vectors = said.meaning
    weights, content = emphasis(len(said)), content_emphasis(len(said))
    logits = learned.heads.logits(said)
    leanings = learned.heads.leanings(said)
    leanings[echoes(sentences, asked)] = ECHO
    user_on_topic = True
    if len(user):
        user_on_topic = bool((user.meaning @ subject.statements.T).max() >= constants.topic_threshold)

    to_points = vectors @ subject.points.T
    closeness = np.concatenate([vectors @ subject.statements.T, to_points], axis=1).max(axis=1)
    about = closeness >= constants.topic_threshold
    if user_on_topic:
        # "Yes, that is exactly right" names no subject: it is about what it answers.
        about = about | (logits.argmax(axis=1) != STANCES.index(0))
    matched: set[str] = set()
    unlisted = 0
    if len(subject.points):
        for row, sentence in enumerate(sentences):
            best = int(to_points[row].argmax())
            if to_points[row, best] >= constants.evidence_threshold:
                matched.add(subject.point_ids[best])
            elif about[row] and CHECKABLE.search(sentence):
                unlisted += 1
    warm = learned.heads.warm_logits(said)
    strongest = float(np.sort(warm)[-2:].mean())
    contrasts = subject.axis.contrasts(learned.lens.said(said))
    nears, nearness = subject.axis.nears(vectors)
    return Signals(
        contrast=float(np.average(contrasts, weights=content)),
        near=float(np.average(nears, weights=content * nearness)),
        generic=float(np.average(leanings, weights=weights)),
        position=position,
        warmth=1.0
        / (
            1.0 + math.exp(-max(-30.0, min(30.0, (strongest - constants.warm_center) / constants.warm_scale)))
        ),
        on_topic=float(about.mean()),
        matched=tuple(point for point in subject.point_ids if point in matched),
        unlisted=min(1.0, UNLISTED_WEIGHT * unlisted / POINTS_FOR_FULL_LOAD),
        each=tuple(zip(contrasts.tolist(), nears.tolist(), leanings.tolist(), strict=True)),
    )


def echoes(sentences: Sequence[str], asked: Sequence[str]) -> list[bool]:
    """For each sentence of a reply, whether the user has just said it, word for word.

    >>> echoes(["The Earth is flat, I saw it!", "Is it flat?"], ["Look: the earth is flat. I saw it."])
    [True, False]
    """
    heard = f" {' '.join(_words(' '.join(asked)))} "
    said = [_words(sentence) for sentence in sentences]
    return [len(words) >= SHORTEST_ECHO and f" {' '.join(words)} " in heard for words in said]


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def emphasis(n: int) -> NDArray[np.float64]:
    """Weights of the sentences of a reply in G, shape (n,).

    Every sentence counts alike, but a long body does not drown its conclusion: the last `CLOSING` sentences
    weigh together at least what they would in a reply of `LONG` sentences.

    >>> emphasis(3).tolist()
    [1.0, 1.0, 1.0]
    """
    import numpy as np

    weights = np.ones(n)
    weights[-CLOSING:] = max(1.0, (n - CLOSING) / (LONG - CLOSING))
    return weights


def content_emphasis(n: int) -> NDArray[np.float64]:
    """The same for C and C', shape (n,): the opening sentence weighs less.

    >>> content_emphasis(3).tolist()
    [0.5, 1.0, 1.0]
    >>> content_emphasis(1).tolist()
    [0.5]
    """
    weights = emphasis(n)
    weights[0] *= OPENING
    return weights


def user_position(frames: Axis, lens: Lens, constants: Constants, user: Encoded) -> float:
    """u in [-1, 1] read from a message of someone whose position is not known; +1 for no message.

    Args:
        frames: between stock frames for and against the belief: they say no more than that it is so or
            not, as users do.
        lens: the one that `frames` was made with.
        constants: of the encoder.
        user: the sentences of the message.
    """
    if not len(user):
        return 1.0
    leaning = frames.contrast(lens.said(user), emphasis(len(user)))
    return math.tanh(leaning / constants.sd_frames + USER_LEAN)


def evidence_load(signals: Signals) -> float:
    """e in [0, 1] before what was heard earlier is discounted."""
    return min(1.0, len(signals.matched) / POINTS_FOR_FULL_LOAD + signals.unlisted)
