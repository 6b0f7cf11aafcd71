"""What a reply is read against: one claim as vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from echosim.persona_records import Persona
from echosim.reading.axis import Axis

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]
    Embed = Callable[[Sequence[str]], Vectors]


@dataclass(frozen=True)
class Subject:
    """One claim.

    Attributes:
        axis: what speaks for the claim and what speaks against it.
        points: evidence paraphrases, shape (p, d).
        point_ids: their ids, in persona order.
        statements: claim, negation, topic and statements, shape (k, d): what is on topic.
    """

    axis: Axis
    points: Vectors
    point_ids: tuple[str, ...]
    statements: Vectors


def of_persona(persona: Persona, embed: Embed) -> Subject:
    """A persona's claim: its statements, its evidence in the reader's wording, claim and negation."""
    import numpy as np

    claim, negation = sentence(persona.claim.text), sentence(persona.claim.negation)
    groups = (
        [claim, *persona.affirming],
        [negation, *persona.denying],
        [point.paraphrase for point in persona.supporting],
        [point.paraphrase for point in persona.refuting],
        [sentence(persona.topic)],
    )
    vectors = embed([text for group in groups for text in group])
    edges = np.cumsum([len(group) for group in groups])[:-1]
    affirming, denying, supporting, refuting, topic = np.split(vectors, edges)
    return Subject(
        axis=Axis(np.concatenate([affirming, supporting]), np.concatenate([denying, refuting])),
        points=np.concatenate([supporting, refuting]),
        point_ids=tuple(point.id for point in (*persona.supporting, *persona.refuting)),
        statements=np.concatenate([affirming, denying, topic]),
    )


def of_statements(affirming: Sequence[str], denying: Sequence[str], embed: Embed) -> Subject:
    """A belief known by statements for and against it alone."""
    vectors = embed([*affirming, *denying])
    split = len(affirming)
    return Subject(Axis(vectors[:split], vectors[split:]), vectors[:0], (), vectors)


def sentence(clause: str) -> str:
    """A clause as a sentence of its own."""
    return f"{clause[:1].upper()}{clause[1:]}."
