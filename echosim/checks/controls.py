"""Replies for which the right reading needs no argument: shuffled, parroted and empty ones."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from echosim.checks import twins
from echosim.checks.known_replies import replies_of_known_stance
from echosim.checks.report_card import ControlCard
from echosim.checks.separation import within
from echosim.persona_records import Persona
from echosim.reading.embedding import Encoder
from echosim.reading.perception import StanceReader
from echosim.reading.sentences import split
from echosim.records import Bank

SHIFT = 3
"""Personas a family: a reply is read for the persona of the same role in the next family."""


def card(bank: Bank, reader: StanceReader, encoder: Encoder, personas: Sequence[Persona]) -> ControlCard:
    """Read the controls; `personas` are sorted by family with the same roles in each."""
    strangers = list(zip(personas, [*personas[SHIFT:], *personas[:SHIFT]], strict=True))
    rows = [(other, row) for persona, other in strangers for row in replies_of_known_stance(persona, bank)]
    encoder.embed([text for _, row in rows for text in split(row.reply)])
    read = [
        (other, row, reader.read_now(other, row.user, row.reply).stance or 0.0)
        for other, row in rows
        if row.target in ("corrector", "sycophant", "contrarian")
    ]
    said = [(persona, text) for persona in personas for text in (persona.opening, *persona.reasons)]
    encoder.embed([sentence for _, text in said for sentence in split(text)])
    parroted = [reader.read_now(persona, text, text).stance or 0.0 for persona, text in said]
    return ControlCard(
        shuffled=round(fmean(stance for _, _, stance in read), 4),
        shuffled_auc=round(
            fmean(
                within(read, lambda row: row[0].id, lambda row: row[1].stance, lambda row: row[2]).values()
            ),
            4,
        ),
        parrot=round(fmean(parroted), 4),
        empty=reader.read_now(personas[0], personas[0].opening, "").reason or "",
        late_drop=round(twins.late_drop(encoder, twins.load()), 4),
    )
