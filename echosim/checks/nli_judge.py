"""A cross-encoder as a channel: entailment of the persona's statements by the reply, on this machine."""

from __future__ import annotations

import asyncio

from echosim.checks.channels import Channel, ChannelReading, Question
from echosim.errors import InputError
from echosim.reading.entailment import CrossEncoder, load_cross_encoder

PREFIX = "nli:"
"""Before the name of a cross-encoder, where a model string would stand."""


class EntailmentJudge:
    """One cross-encoder.

    Args:
        encoder: what reads.
    """

    def __init__(self, encoder: CrossEncoder) -> None:
        self._encoder = encoder
        self.identity = f"{PREFIX}{encoder.identity}"
        self.returned: frozenset[str] = frozenset()
        """No provider, so no name of its own."""

    async def read(self, question: Question) -> ChannelReading:
        """Its stance on one reply with the most telling sentence; None only for a reply without words.

        Raises:
            EncoderError: the model breaks on a text.
        """
        found = await asyncio.to_thread(self._encoder.read, question.persona, question.reply)
        if found.stance is None:
            return ChannelReading(stance=None, reason="the reply has no words")
        return ChannelReading(stance=found.stance, quote=found.sentence)

    def channel(self, date: str) -> Channel:
        """How a run lists this cross-encoder."""
        asked = f"windows of {self._encoder.window} tokens"
        return Channel(
            identity=self.identity, name=PREFIX + self._encoder.name, kind="nli", date=date, asked=asked
        )


def load(model: str) -> EntailmentJudge:
    """The cross-encoder of `nli:NAME_OR_FOLDER`.

    Raises:
        InputError: nothing stands after `nli:`.
        EncoderError: it cannot be loaded.
    """
    name = model.removeprefix(PREFIX)
    if not name.strip():
        raise InputError("judge 'nli:': give a model or folder, as in nli:cross-encoder/nli-deberta-v3-base")
    return EntailmentJudge(load_cross_encoder(name))
