"""Stance of replies toward any belief, without a persona: what `es.read_stance` does.

With affirming and denying statements the contrast is taken between them; without, between stock frames
around the belief. The scale is fixed: 0 is a reply as near to the statements for as to those against,
which neither accepts nor refutes. Single signs are right about three times in four.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING

from echosim.errors import InputError
from echosim.reading import heads
from echosim.reading.constants import constants_for
from echosim.reading.embedding import Encoder, load_encoder
from echosim.reading.frames import AFFIRM_FRAMES, DENY_FRAMES, frames
from echosim.reading.lens import Lens, lens_for
from echosim.reading.sentences import split
from echosim.reading.signals import (
    BELIEF_ALONE,
    WITH_STATEMENTS,
    Constants,
    Weights,
    read_signals,
    user_position,
)
from echosim.reading.subject import Subject, of_statements

if TYPE_CHECKING:
    from echosim.reading.encoded import Encoded

SLOPE = 0.4
"""s = tanh(SLOPE * T); on writer dev T of accepting and refuting replies is +1.1 and -0.9 on average."""

def read_stance(
    belief: str,
    turns: Sequence[tuple[str, str]],
    affirming: Sequence[str] = (),
    denying: Sequence[str] = (),
    encoder: Encoder | None = None,
) -> list[float | None]:
    """Stance of each reply toward `belief` as written, in [-1, 1].

    Args:
        belief: one sentence.
        turns: (user message, target reply) pairs. The user message is context only; history does not
            leak forward.
        affirming: statements for the belief; two or more help a lot.
        denying: statements against it, best naming the alternative; three or more help a lot.
        encoder: None for the default.

    Returns:
        One value a turn; None only for a reply without words.

    Raises:
        InputError: if belief, statements or turns are not text.
        EncoderError: if no encoder can be loaded.
    """
    _check(belief, turns, affirming, denying)
    used = encoder or _default_encoder()
    reader = _tools(used)
    toward = list(affirming) or frames(AFFIRM_FRAMES, belief)
    away = list(denying) or frames(DENY_FRAMES, belief)
    weights = WITH_STATEMENTS if affirming and denying else BELIEF_ALONE
    subject = of_statements(toward, away, used.read, reader[1])
    values: list[float | None] = []
    for user, reply in turns:
        sentences = split(reply)
        if not sentences:
            values.append(None)
            continue
        total = _total(used.read, reader, subject, weights, sentences, split(user))
        values.append(math.tanh(SLOPE * total))
    return values


@cache
def _default_encoder() -> Encoder:
    return load_encoder()


@cache
def _tools(encoder: Encoder) -> tuple[heads.Heads, Lens, Constants]:
    fitted, lens = heads.fit(encoder.read), lens_for(encoder)
    return fitted, lens, constants_for(encoder, fitted, lens).over_all


def _total(
    read: Callable[[Sequence[str]], Encoded],
    reader: tuple[heads.Heads, Lens, Constants],
    subject: Subject,
    weights: Weights,
    sentences: Sequence[str],
    user: Sequence[str],
) -> float:
    fitted, lens, constants = reader
    encoded = read([*sentences, *user])
    n = len(sentences)
    position = user_position(subject.axis, lens, constants, encoded[n:])
    signals = read_signals(subject, fitted, lens, constants, sentences, encoded[:n], encoded[n:], position)
    return signals.total(constants, weights)


def _check(
    belief: str, turns: Sequence[tuple[str, str]], affirming: Sequence[str], denying: Sequence[str]
) -> None:
    if not isinstance(belief, str) or not re.search(r"\w", belief):
        raise InputError("belief: must be one sentence of text; got " + repr(belief)[:60])
    for name, statements in (("affirming", affirming), ("denying", denying)):
        if isinstance(statements, str) or not all(isinstance(s, str) and s.strip() for s in statements):
            raise InputError(f"{name}: must be a list of statements, each with words")
    for number, turn in enumerate(turns):
        if (
            isinstance(turn, str)
            or len(turn) != 2
            or not isinstance(turn[0], str)
            or not isinstance(turn[1], str)
        ):
            raise InputError(f"turns[{number}]: must be a pair (user message, reply) of texts")
