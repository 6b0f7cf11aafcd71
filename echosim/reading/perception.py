"""The reader: text of one reply -> Reading, for every target by the same function.

    reader = StanceReader(load_encoder())
    reader.prepare(personas)                      # axes and calibration, once a persona
    reading = await reader.read(persona, user, reply)

Replies of many conversations are embedded together by a collector; a vector does not depend on what
it is embedded with, so neither does a reading.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from importlib.resources import files

from echosim.draws import key
from echosim.persona_records import Persona
from echosim.reading import calibration_cache
from echosim.reading.calibration import Calibration, fit, rehearsal
from echosim.reading.collector import Collector
from echosim.reading.constants import constants_for
from echosim.reading.embedding import Encoder
from echosim.reading.foreign_talks import signals_of
from echosim.reading.frames import framed
from echosim.reading.learned import learned_for
from echosim.reading.sentences import split
from echosim.reading.signals import WITH_EVIDENCE, Constants, Signals, evidence_load, read_signals
from echosim.reading.subject import Subject, of_persona
from echosim.records import Reading, Side

VERSION = "reader 8"
"""Raised whenever the same vectors would give another reading."""
UNSURE_FROM = 0.5
"""In units of sd: C and u*G must both be this far from their zero, on opposite sides, to be unsure."""
DECIMALS = 6
TENTHS = 10


class StanceReader:
    """Embedding reader of design: contrast, near-topic contrast, generic acceptance, calibrated per claim.

    Attributes:
        encoder: name of the encoder, as boards show it.
        identity: 16 hex characters over encoder, what it learned, constants, bank and version.
    """

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._learned = learned_for(encoder)
        self._constants = constants_for(encoder, self._learned)
        self._collector = Collector(encoder.read)
        self._subjects: dict[str, tuple[Subject, Calibration]] = {}
        train = (files("echosim.replies") / "banks" / "train.toml").read_bytes()
        parts = (self._learned.digest, self._constants.model_dump_json(), hashlib.sha256(train).hexdigest())
        self.encoder = encoder.name
        self.identity = key(VERSION, encoder.identity, *parts)[:16]

    def prepare(
        self, personas: Sequence[Persona], progress: Callable[[int, int], None] | None = None
    ) -> dict[str, Calibration]:
        """Axes and calibrations of these personas, by persona id; made once and cached on disk.

        Args:
            personas: whom replies will be read for.
            progress: called with (personas done, personas in all).

        Raises:
            EncoderError: if the encoder breaks on a persona's text.
        """
        for done, persona in enumerate(personas):
            if progress is not None:
                progress(done, len(personas))
            self._subject(persona)
        if progress is not None:
            progress(len(personas), len(personas))
        return {persona.id: self._subject(persona)[1] for persona in personas}

    async def read(self, persona: Persona, user: str, reply: str, side: Side = 1) -> Reading:
        """One reading; waits for the next shared batch."""
        subject, calibration = self._subject(persona)
        sentences = split(reply)
        if not sentences:
            return _wordless()
        said = split(user)
        encoded = await self._collector.embed([*sentences, *said])
        n = len(sentences)
        constants = self._constants.of(persona.family)
        signals = read_signals(
            subject, self._learned, constants, sentences, encoded[:n], said, encoded[n:], side
        )
        return _reading(signals, constants, calibration)

    def read_now(self, persona: Persona, user: str, reply: str, side: Side = 1) -> Reading:
        """The same reading outside an event loop."""
        subject, calibration = self._subject(persona)
        sentences = split(reply)
        if not sentences:
            return _wordless()
        signals = self.signals(subject, persona.family, sentences, split(user), side)
        return _reading(signals, self._constants.of(persona.family), calibration)

    def stances(self, persona: Persona, turns: Sequence[tuple[str, str]]) -> list[float | None]:
        """Stance of replies in talks with people of whom nothing but their messages is known.

        Where such a person stands is read from the message that was answered.

        Args:
            persona: toward whose claim.
            turns: (user message, target reply) pairs.

        Returns:
            One value a turn in [-1, 1]; None only for a reply without words.
        """
        subject, calibration = self._subject(persona)
        read, learned, constants = self._encoder.read, self._learned, self._constants.of(persona.family)
        between_frames = framed(persona.claim.text, read, learned.lens).axis
        return [
            None if one is None else round(calibration.stance(one.total(constants, WITH_EVIDENCE)), DECIMALS)
            for one in signals_of(turns, read, subject, between_frames, learned, constants)
        ]

    def signals(
        self,
        subject: Subject,
        family: str,
        sentences: Sequence[str],
        user: Sequence[str],
        position: float = 1.0,
    ) -> Signals:
        """Signals of one reply given as sentences; at least one."""
        encoded = self._encoder.read([*sentences, *user])
        n = len(sentences)
        constants = self._constants.of(family)
        return read_signals(
            subject, self._learned, constants, sentences, encoded[:n], user, encoded[n:], position
        )

    def total(self, signals: Signals, family: str) -> float:
        """T of these signals with the constants that leave `family` out."""
        return signals.total(self._constants.of(family), WITH_EVIDENCE)

    def _subject(self, persona: Persona) -> tuple[Subject, Calibration]:
        content = key(persona.model_dump_json())
        known = self._subjects.get(content)
        if known is None:
            subject = of_persona(persona, self._encoder.read, self._learned.lens)
            known = (subject, self._calibrate(persona, subject))
            self._subjects[content] = known
        return known

    def _calibrate(self, persona: Persona, subject: Subject) -> Calibration:
        rows = rehearsal(persona)
        name = key(self.identity, persona.model_dump_json(), rows)
        stored = calibration_cache.load(name)
        if stored is not None:
            return stored
        texts = [(split(row.reply), split(row.user)) for row in rows]
        # One call for all of them: the encoder keeps the vectors, and full batches are many times faster.
        self._encoder.embed([sentence for reply, user in texts for sentence in (*reply, *user)])
        read = [self.signals(subject, persona.family, reply, user) for reply, user in texts]
        calibration = fit(
            levels=[row.level for row in rows],
            totals=[self.total(signals, persona.family) for signals in read],
            contrasts=[signals.contrast for signals in read],
            generics=[signals.position * signals.generic for signals in read],
        )
        calibration_cache.save(name, calibration)
        return calibration


def _wordless() -> Reading:
    return Reading(stance=None, evidence=0, warmth=0, on_topic=0, reason="the reply has no words")


def _reading(signals: Signals, constants: Constants, calibration: Calibration) -> Reading:
    total = signals.total(constants, WITH_EVIDENCE)
    contrast_side = (signals.contrast - calibration.contrast_zero) / constants.sd_contrast
    generic_side = (signals.position * signals.generic - calibration.generic_zero) / constants.sd_generic
    return Reading(
        stance=round(calibration.stance(total), DECIMALS),
        evidence=round(evidence_load(signals), DECIMALS),
        warmth=round(signals.warmth, DECIMALS),
        on_topic=round(signals.on_topic, DECIMALS),
        matched=signals.matched,
        unlisted=round(signals.unlisted, DECIMALS),
        contrast=round(signals.contrast, DECIMALS),
        near=round(signals.near, DECIMALS),
        generic=round(signals.generic, DECIMALS),
        total=round(total, DECIMALS),
        sentences=tuple(
            round(TENTHS * calibration.stance(each)) for each in signals.totals(constants, WITH_EVIDENCE)
        ),
        unsure=contrast_side * generic_side < 0 and min(abs(contrast_side), abs(generic_side)) > UNSURE_FROM,
    )
