"""Replies for which the right reading needs no argument: shuffled, parroted and empty ones."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from echosim.checks import twins
from echosim.checks.known_replies import replies_of_known_stance
from echosim.checks.report_card import ControlCard
from echosim.checks.required_stance import required_stance
from echosim.checks.separation import within
from echosim.persona_records import Persona
from echosim.reading.embedding import Encoder
from echosim.reading.perception import StanceReader
from echosim.reading.sentences import split
from echosim.records import Bank

SIDED_TARGETS = ("corrector", "sycophant", "contrarian")
"""Targets whose every reply takes a side, so that a stance left over by another subject would show."""
WORDLESS = ("", " \n", "...", "\U0001f642")
"""Replies that say nothing."""


def card(bank: Bank, reader: StanceReader, encoder: Encoder, personas: Sequence[Persona]) -> ControlCard:
    """Read the controls about personas of two families or more.

    Raises:
        ScoringError: a reply that has words was given no stance.
        ValueError: no other family has a persona of some role.
    """
    rows = [
        (hearer, row)
        for speaker, hearer in strangers(personas)
        for row in replies_of_known_stance(speaker, bank)
        if row.target in SIDED_TARGETS
    ]
    encoder.embed([text for _, row in rows for text in split(row.reply)])
    read = [(hearer, row, _stance(reader, hearer, row.user, row.reply)) for hearer, row in rows]
    said = [(persona, text) for persona in personas for text in (persona.opening, *persona.reasons)]
    encoder.embed([sentence for _, text in said for sentence in split(text)])
    return ControlCard(
        shuffled=round(fmean(stance for _, _, stance in read), 4),
        shuffled_auc=round(
            fmean(
                within(read, lambda row: row[0].id, lambda row: row[1].stance, lambda row: row[2]).values()
            ),
            4,
        ),
        parrot=round(fmean(_stance(reader, persona, text, text) for persona, text in said), 4),
        empty=_wordless(reader, personas[0]),
        late_drop=round(twins.late_drop(encoder, twins.load()), 4),
    )


def strangers(personas: Sequence[Persona]) -> list[tuple[Persona, Persona]]:
    """Each persona with the one of its role in the next family that has it; the last with the first.

    Raises:
        ValueError: nobody else has the role.
    """
    by_role: dict[str, list[Persona]] = {}
    for persona in personas:
        by_role.setdefault(persona.role, []).append(persona)
    pairs = []
    for persona in personas:
        peers = by_role[persona.role]
        after = peers.index(persona) + 1
        other = next((each for each in (peers[after:] + peers) if each.family != persona.family), None)
        if other is None:
            raise ValueError(f"shuffled replies need a second family with a {persona.role}")
        pairs.append((persona, other))
    return pairs


def _stance(reader: StanceReader, persona: Persona, user: str, reply: str) -> float:
    return required_stance(reader.read_now(persona, user, reply).stance, reply)


def _wordless(reader: StanceReader, persona: Persona) -> str | None:
    """The reason given for replies without words; None as soon as one gets a stance, or no reason."""
    readings = [reader.read_now(persona, persona.opening, reply) for reply in WORDLESS]
    if any(reading.stance is not None for reading in readings):
        return None
    return readings[0].reason if all(reading.reason for reading in readings) else None
