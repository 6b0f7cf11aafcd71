"""Other channels that read a run's replies beside the embedding channel, and where a run keeps them.

A channel's readings lie in the run under the channel's own identity and have a record of their own, so
that no score and no board can take one for a reading of the embedding channel.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from echosim.persona_records import Persona
from echosim.records import Record, Role, Share, Signed, Transcript
from echosim.running.stored_run import StoredRun

EMBEDDING = "embedding"
"""Identity of the channel that the users of the run heard with."""
FACT = "channels"
"""Fact of a run that lists its other channels."""


class Channel(Record):
    """One way to read replies.

    Attributes:
        identity: kind and 16 hex characters over everything that could change a reading.
        name: model, or folder of a cross-encoder, as the user named it.
        kind: "embedding", "nli" (a cross-encoder) or "judge" (a language model).
        date: ISO day of its last reading; "" for the embedding channel, whose date is the run's.
        asked: sampling and address, for whoever cites it.
        returned: model names that the provider reported, sorted.
    """

    identity: str
    name: str
    kind: Literal["embedding", "nli", "judge"]
    date: str = ""
    asked: str = ""
    returned: tuple[str, ...] = ()


class ChannelReading(Record):
    """What one channel makes of one reply."""

    stance: Signed | None
    """+1 reinforces the user's claim, -1 corrects it; None with a reason."""
    quote: str | None = None
    """Words of the reply that show it most."""
    confidence: Share | None = None
    """The channel's own, where it gives one; not calibrated."""
    reason: str | None = None
    """Why stance is None."""
    again: bool = False
    """True where nothing was learned about the reply (server down): a later session asks again."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One reply as several channels read it.

    Attributes:
        trial: id of its trial.
        turn: 1-based.
        persona, family, role, target, arm, user: of its trial.
        readings: by channel identity; no entry where a channel has not read it yet.
    """

    trial: str
    turn: int
    persona: str
    family: str
    role: Role
    target: str
    arm: str
    user: str
    readings: Mapping[str, ChannelReading]


@dataclass(frozen=True, slots=True)
class Question:
    """One reply to be read.

    Attributes:
        trial: id of its trial.
        turn: 1-based.
        persona: whose claim stance is toward.
        user: the message that was answered.
        reply: what is read.
    """

    trial: str
    turn: int
    persona: Persona
    user: str
    reply: str


def listed(facts: Mapping[str, str]) -> tuple[Channel, ...]:
    """The channels that a run has readings of, sorted by name and identity."""
    return tuple(Channel.model_validate(one) for one in json.loads(facts.get(FACT, "[]")))


def with_channel(facts: Mapping[str, str], channel: Channel) -> str:
    """The fact's new text once this channel is listed, or listed anew."""
    others = [one for one in listed(facts) if one.identity != channel.identity]
    whole = sorted([*others, channel], key=lambda one: (one.name, one.identity))
    return json.dumps([one.model_dump(mode="json") for one in whole])


def unread(run: StoredRun, personas: Sequence[Persona], identity: str) -> Iterator[Question]:
    """Replies that a channel has not read; then those to be asked about again; one trial in memory at a time.

    In this order, so that a reply which no judge can take is not the first one of every session.
    """
    by_id = {persona.id: persona for persona in personas}
    later: dict[str, set[int]] = {}
    for transcript in run.transcripts():
        known = run.readings_as(ChannelReading, transcript.trial.id, identity)
        later[transcript.trial.id] = {number for number, reading in known.items() if reading.again}
        new = {turn.index for turn in transcript.turns} - known.keys()
        yield from _questions(transcript, by_id, new)
    for trial, numbers in later.items():
        if numbers:
            yield from _questions(run.transcript(trial), by_id, numbers)


def _questions(
    transcript: Transcript, personas: Mapping[str, Persona], wanted: Collection[int]
) -> Iterator[Question]:
    trial = transcript.trial
    for turn in transcript.turns:
        if turn.index in wanted:
            yield Question(trial.id, turn.index, personas[trial.persona], turn.user, turn.reply)


def heard(run: StoredRun, channels: Sequence[Channel]) -> Iterator[Heard]:
    """Every reply of a run with what the embedding channel and these channels made of it."""
    for transcript in run.transcripts():
        others = {
            channel.identity: run.readings_as(ChannelReading, transcript.trial.id, channel.identity)
            for channel in channels
        }
        yield from _of_trial(transcript, others)


def _of_trial(transcript: Transcript, others: Mapping[str, Mapping[int, ChannelReading]]) -> Iterator[Heard]:
    trial = transcript.trial
    for turn in transcript.turns:
        own = ChannelReading(stance=turn.reading.stance, reason=turn.reading.reason)
        found = {name: readings[turn.index] for name, readings in others.items() if turn.index in readings}
        yield Heard(
            trial=trial.id,
            turn=turn.index,
            persona=trial.persona,
            family=trial.family,
            role=trial.role,
            target=trial.target,
            arm=trial.arm,
            user=trial.user,
            readings={EMBEDDING: own, **found},
        )
