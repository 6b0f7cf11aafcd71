"""Signals of replies in talks that nobody simulated: where the user stands is read from the message."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from echosim.reading.sentences import split
from echosim.reading.signals import Constants, Signals, read_signals, user_position

if TYPE_CHECKING:
    from echosim.reading.axis import Axis
    from echosim.reading.learned import Learned
    from echosim.reading.subject import Read, Subject


def signals_of(
    turns: Sequence[tuple[str, str]],
    read: Read,
    subject: Subject,
    between_frames: Axis,
    learned: Learned,
    constants: Constants,
) -> Iterator[Signals | None]:
    """Signals of each reply; None for one without words.

    Args:
        turns: (user message, target reply) pairs.
        read: sentences to vectors.
        subject: what stance is toward.
        between_frames: between stock frames for and against the belief; see `signals.user_position`.
        learned: of the encoder.
        constants: likewise.
    """
    for user, reply in turns:
        sentences, said = split(reply), split(user)
        if not sentences:
            yield None
            continue
        encoded = read([*sentences, *said])
        replied, asked = encoded[: len(sentences)], encoded[len(sentences) :]
        position = user_position(between_frames, learned.lens, constants, asked)
        yield read_signals(subject, learned, constants, sentences, replied, said, asked, position)
