"""What the vectors of one reply show, before any calibration: pure numbers from pure geometry.

    T = w_C C/sd_C + w_C' C'/sd_C' + w_G u G/sd_G

C, C' as in axis.py; G = mean over sentences of the log-odds of accepting against refuting, by the acceptance
head. G reads whether the reply accepts what the USER says, so it is multiplied by u, the position that the
user last asserted toward the claim: "You are right" to a user who has given the claim up speaks against the
claim. A simulated user knows its own position; for chats of others it is read from the user's message
(`user_position`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from echosim.reading.axis import Axis
from echosim.reading.heads import STANCES, Heads
from echosim.reading.subject import Subject
from echosim.records import Record

if TYPE_CHECKING:
    from echosim.reading.encoded import Encoded
    from echosim.reading.lens import Lens

USER_SLOPE = 1.5
"""In units of sd_C: how fast u goes to -1 or 1 as the user's message leans to one side."""
USER_LEAN = 0.8
"""In units of sd_C: how far a user's message must lean against the claim before u passes 0, since people who
chat about a belief mostly hold it. A tenth of the believers' messages of unseen writers lean against it."""
POINTS_FOR_FULL_LOAD = 3.0
"""Evidence points that make e = 1 (science of belief/engine.py: e = min(1, points / 3))."""
UNLISTED_WEIGHT = 0.5
"""A checkable statement that is no listed point counts half."""
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


WITH_STATEMENTS = Weights(contrast=1.0, near=0.5, generic=1.5)
BELIEF_ALONE = Weights(contrast=0.5, near=0.0, generic=1.5)
"""Between stock frames, which share nearly all their words, C says less and C' nothing."""


class Constants(Record):
    """Scales and thresholds of one encoder, measured on bank train; see reading/constants.py."""

    sd_contrast: float
    sd_near: float
    sd_generic: float
    evidence_threshold: float
    """Cosine from which a sentence is one of the persona's points."""
    topic_threshold: float
    """Cosine from which a sentence is about the claim's subject."""
    warm_center: float
    warm_scale: float


@dataclass(frozen=True, slots=True)
class Signals:
    """What one reply shows; see the module docstring."""

    contrast: float
    near: float
    generic: float
    position: float
    warmth: float
    on_topic: float
    matched: tuple[str, ...]
    unlisted: float

    def total(self, constants: Constants, weights: Weights = WITH_STATEMENTS) -> float:
        """T, unbounded; comparable only within one claim."""
        return (
            weights.contrast * self.contrast / constants.sd_contrast
            + weights.near * self.near / constants.sd_near
            + weights.generic * self.position * self.generic / constants.sd_generic
        )


def read_signals(
    subject: Subject,
    heads: Heads,
    lens: Lens,
    constants: Constants,
    sentences: Sequence[str],
    said: Encoded,
    user: Encoded,
    position: float,
) -> Signals:
    """Read one reply.

    Args:
        subject: the persona's claim.
        heads: acceptance and warmth.
        lens: the one that the subject was made with.
        constants: of this encoder.
        sentences: the reply, n >= 1.
        said: their vectors.
        user: vectors of the sentences of the user's message; may be none.
        position: u, the user's position toward the claim, in [-1, 1].
    """
    import numpy as np

    vectors = said.meaning
    shares = heads.shares(said)
    user_on_topic = True
    if len(user):
        user_on_topic = bool((user.meaning @ subject.statements.T).max() >= constants.topic_threshold)

    closeness = np.concatenate([vectors @ subject.statements.T, vectors @ subject.points.T], axis=1).max(
        axis=1
    )
    about = closeness >= constants.topic_threshold
    if user_on_topic:
        # "Yes, that is exactly right" names no subject: it is about what it answers.
        about = about | (shares.argmax(axis=1) != STANCES.index(0))
    matched: set[str] = set()
    unlisted = 0
    if len(subject.points):
        cosines = vectors @ subject.points.T
        for row, sentence in enumerate(sentences):
            best = int(cosines[row].argmax())
            if cosines[row, best] >= constants.evidence_threshold:
                matched.add(subject.point_ids[best])
            elif about[row] and CHECKABLE.search(sentence):
                unlisted += 1
    warm = heads.warm_logits(said)
    strongest = float(np.sort(warm)[-2:].mean())
    return Signals(
        contrast=subject.axis.contrast(lens.on_replies(said)),
        near=subject.axis.near(vectors),
        generic=heads.leaning(said),
        position=position,
        warmth=1.0
        / (
            1.0 + math.exp(-max(-30.0, min(30.0, (strongest - constants.warm_center) / constants.warm_scale)))
        ),
        on_topic=float(about.mean()),
        matched=tuple(point for point in subject.point_ids if point in matched),
        unlisted=min(1.0, UNLISTED_WEIGHT * unlisted / POINTS_FOR_FULL_LOAD),
    )


def user_position(axis: Axis, lens: Lens, constants: Constants, user: Encoded) -> float:
    """u in [-1, 1] read from a message of someone whose position is not known; +1 for no message."""
    if not len(user):
        return 1.0
    leaning = axis.contrast(lens.on_replies(user)) / constants.sd_contrast
    return math.tanh(USER_SLOPE * (leaning + USER_LEAN))


def evidence_load(signals: Signals) -> float:
    """e in [0, 1] before what was heard earlier is discounted."""
    return min(1.0, len(signals.matched) / POINTS_FOR_FULL_LOAD + signals.unlisted)
