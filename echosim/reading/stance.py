"""Stance of replies toward any belief, with a persona or without: what `es.read_stance` does.

A persona's claim is read as in runs, with its evidence and its own calibration (reading/perception.py).

With affirming and denying statements the contrast is taken between them; without, between stock frames
around the belief. The scale is fixed: s = P(accepts) - P(refutes) for a reply that takes a side, measured on
replies of a writer whom nothing was fitted to. Single signs are right about four times in five there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from echosim.errors import InputError
from echosim.persona_records import Persona
from echosim.reading.constants import constants_for
from echosim.reading.embedding import Encoder, load_encoder
from echosim.reading.foreign_talks import signals_of
from echosim.reading.frames import framed
from echosim.reading.learned import Learned, learned_for
from echosim.reading.signals import (
    BELIEF_ALONE,
    WITH_STATEMENTS,
    Constants,
)
from echosim.reading.subject import of_statements

if TYPE_CHECKING:
    from echosim.reading.perception import StanceReader


def read_stance(
    belief: str | Persona,
    turns: Sequence[tuple[str, str]],
    affirming: Sequence[str] = (),
    denying: Sequence[str] = (),
    encoder: Encoder | None = None,
) -> list[float | None]:
    """Stance of each reply toward `belief` as written, in [-1, 1].

    Args:
        belief: one sentence, or a persona, who brings the statements.
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
    if isinstance(belief, Persona):
        return _reader(used).stances(belief, turns)
    learned, constants = _tools(used)
    lens = learned.lens
    between_frames = framed(belief, used.read, lens)
    # Frames name no alternative and statements do: one side alone would be set against the other kind.
    alone = not (affirming and denying)
    subject = between_frames if alone else of_statements(affirming, denying, used.read, lens)
    weights = BELIEF_ALONE if alone else WITH_STATEMENTS
    slope = constants.slope_alone if alone else constants.slope
    return [
        None if one is None else math.tanh(slope * one.total(constants, weights))
        for one in signals_of(turns, used.read, subject, between_frames.axis, learned, constants)
    ]


@cache
def _default_encoder() -> Encoder:
    return load_encoder()


@cache
def _reader(encoder: Encoder) -> StanceReader:
    from echosim.reading.perception import StanceReader

    return StanceReader(encoder)


@cache
def _tools(encoder: Encoder) -> tuple[Learned, Constants]:
    learned = learned_for(encoder)
    return learned, constants_for(encoder, learned).over_all


def _check(
    belief: str | Persona, turns: Sequence[tuple[str, str]], affirming: Sequence[str], denying: Sequence[str]
) -> None:
    if isinstance(belief, Persona):
        if affirming or denying:
            raise InputError("a persona brings its own statements; leave affirming and denying out")
    elif not isinstance(belief, str) or not re.search(r"\w", belief):
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
