"""What the lines of simulated users mean to an encoder: does everybody sound alike, and does a line stand
where it was told to? After the prompt-to-line and question-and-answer consistency of Abdulhai et al. 2025
(arXiv:2511.00222), with an encoder in place of a judging model.

A line's side is read by C' between what speaks for the persona's claim and what speaks against it (see
reading/axis.py). On phrases of known side 1.5% of those for the claim read as against it, and 16% of those
that give it up as for it (all shipped personas, two seeds); so a share here is compared between users, and
not with zero.

A sample of fixed size is read, chosen by hash: the same in any order of the conversations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from echosim import draws
from echosim.checks.line_figure import Figure
from echosim.records import Record, Side

if TYPE_CHECKING:
    from echosim.persona_records import Persona
    from echosim.reading.embedding import Encoder
    from echosim.reading.encoded import Encoded
    from echosim.reading.lens import Lens

    Read = Callable[[Sequence[str]], Encoded]

LINES_OF_ONE = 16
"""Lines of one persona and user engine that are read at most."""
UNDECIDED = 0.06
"""|C'| up to which a line is held to take no side."""


class Meaning(Record):
    """What the sampled lines of one user engine mean."""

    apart: Figure
    """Mean 1 - cosine between the mean directions of two personas, in [0, 2]: 0 where all say the same."""
    within: Figure
    """Mean 1 - cosine of a line to the mean direction of its persona, in [0, 2]."""
    against_act: Figure
    """Share of the lines whose act takes a side that read as the other side."""
    against_told: Figure
    """Share of the lines that take the other side than the belief which their speaker told before them."""


class Heard(NamedTuple):
    """One line.

    Attributes:
        persona: who said it.
        text: what was said.
        side: that its act asserts; 0 for none.
        told: the side of the belief told before it, asked apart; None where none was.
    """

    persona: str
    text: str
    side: Side
    told: float | None


@dataclass(frozen=True, slots=True)
class Sense:
    """What lines are read with.

    Attributes:
        read: the encoder.
        lens: what its reader looks through.
    """

    read: Read
    lens: Lens


def sense_by_name(encoder: str) -> tuple[Sense | None, str]:
    """What the encoder of this name reads lines with; else None, and why it cannot be had.

    A report is no time for a download: only the default encoder and a folder are loaded.
    """
    from echosim.errors import EncoderError
    from echosim.reading.embedding import load_encoder
    from echosim.reading.model_files import DEFAULT_ENCODER

    if encoder != DEFAULT_ENCODER and not Path(encoder).is_dir():
        return None, f"the encoder {encoder} is neither the default nor a folder here"
    try:
        return sense_of(load_encoder(encoder)), ""
    except EncoderError as error:
        return None, f"the encoder cannot be loaded ({error})"


def sense_of(encoder: Encoder) -> Sense:
    """What this encoder reads lines with."""
    from echosim.reading.learned import learned_for

    return Sense(encoder.read, learned_for(encoder).lens)


@dataclass(slots=True)
class MeaningSample:
    """Different lines by persona; memory does not grow with the conversations."""

    by_persona: dict[str, dict[str, Heard]] = field(default_factory=dict)

    def add(self, heard: Heard) -> None:
        """Offer one line; one without words is left out."""
        if not any(sign.isalnum() for sign in heard.text):
            return
        kept = self.by_persona.setdefault(heard.persona, {})
        kept[draws.key("meant", *heard)] = heard
        if len(kept) > 2 * LINES_OF_ONE:
            for key in sorted(kept)[LINES_OF_ONE:]:
                del kept[key]

    def read(self, personas: Mapping[str, Persona], sense: Sense | None, why_not: str) -> Meaning:
        """The figures of the sample.

        Args:
            personas: by id; a line of another persona is left out.
            sense: what to read with; None gives no figure, for this reason:
            why_not: reason.

        Raises:
            EncoderError: the encoder breaks on a line.
        """
        if sense is None:
            return nothing(why_not)
        lines = [
            kept[key]
            for persona, kept in sorted(self.by_persona.items())
            if persona in personas
            for key in sorted(kept)[:LINES_OF_ONE]
        ]
        if not lines:
            return nothing("no line of a known persona")
        apart, within = _spread(lines, sense.read([line.text for line in lines]))
        sides = list(_sides(lines, personas, sense))
        return Meaning(
            apart=apart,
            within=within,
            against_act=_against([(line.side, side) for line, side in zip(lines, sides, strict=True)]),
            against_told=_against([(line.told or 0, side) for line, side in zip(lines, sides, strict=True)]),
        )


def nothing(reason: str) -> Meaning:
    """No figure, for this reason."""
    none = Figure(value=None, reason=reason)
    return Meaning(apart=none, within=none, against_act=none, against_told=none)


def _spread(lines: Sequence[Heard], encoded: Encoded) -> tuple[Figure, Figure]:
    import numpy as np

    rows: dict[str, list[int]] = {}
    for row, line in enumerate(lines):
        rows.setdefault(line.persona, []).append(row)
    vectors = encoded.meaning.astype(np.float64)
    means = {persona: vectors[own].mean(axis=0) for persona, own in rows.items() if len(own) > 1}
    units = {persona: mean / np.linalg.norm(mean) for persona, mean in means.items() if mean.any()}
    if not units:
        none = Figure(value=None, reason="nobody said two different lines")
        return none, none
    own_distance = [1 - float((vectors[rows[persona]] @ unit).mean()) for persona, unit in units.items()]
    within = Figure(value=round(float(np.mean(own_distance)), 4), n=len(units))
    pairs = [1 - float(one @ other) for one, other in combinations(units.values(), 2)]
    if not pairs:
        return Figure(value=None, n=1, reason="one persona"), within
    return Figure(value=round(float(np.mean(pairs)), 4), n=len(units)), within


def _sides(lines: Sequence[Heard], personas: Mapping[str, Persona], sense: Sense) -> Iterator[int]:
    """The side that each line reads as: 1, -1, or 0 where it takes none."""
    from echosim.reading.sentences import split
    from echosim.reading.signals import emphasis
    from echosim.reading.subject import of_persona

    sense.read([sentence for line in lines for sentence in split(line.text)])  # full batches; kept in memory
    axes = {
        persona: of_persona(personas[persona], sense.read, sense.lens).axis
        for persona in dict.fromkeys(line.persona for line in lines)
    }
    for line in lines:
        sentences = sense.read(split(line.text)).meaning
        near = axes[line.persona].near(sentences, emphasis(len(sentences)))
        yield 0 if abs(near) <= UNDECIDED else (1 if near > 0 else -1)


def _against(pairs: Sequence[tuple[float, int]]) -> Figure:
    """Share of the lines with an expected side that read as the other one."""
    asked = [expected * found < 0 for expected, found in pairs if expected]
    if not asked:
        return Figure(value=None, reason="no sampled line has a side to be held against")
    return Figure(value=sum(asked) / len(asked), n=len(asked))
