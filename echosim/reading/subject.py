"""What a reply is read against: one claim as vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from echosim.persona_records import Persona
from echosim.reading.axis import Axis, axis
from echosim.reading.encoded import joined

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from echosim.reading.encoded import Encoded
    from echosim.reading.lens import Lens

    Vectors = NDArray[np.float32]
    Read = Callable[[Sequence[str]], Encoded]


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


def of_persona(persona: Persona, read: Read, lens: Lens) -> Subject:
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
    encoded = read([text for group in groups for text in group])
    ends = np.cumsum([len(group) for group in groups]).tolist()
    affirming, denying, supporting, refuting, topic = (
        encoded[end - len(group) : end] for group, end in zip(groups, ends, strict=True)
    )
    return Subject(
        axis=axis(joined(affirming, supporting), joined(denying, refuting), lens),
        points=np.concatenate([supporting.meaning, refuting.meaning]),
        point_ids=tuple(point.id for point in (*persona.supporting, *persona.refuting)),
        statements=np.concatenate([affirming.meaning, denying.meaning, topic.meaning]),
    )


def of_statements(affirming: Sequence[str], denying: Sequence[str], read: Read, lens: Lens) -> Subject:
    """A belief known by statements for and against it alone."""
    encoded = read([*affirming, *denying])
    split = len(affirming)
    between = axis(encoded[:split], encoded[split:], lens)
    return Subject(between, encoded.meaning[:0], (), encoded.meaning)


def sentence(clause: str) -> str:
    """A clause as a sentence of its own."""
    return f"{clause[:1].upper()}{clause[1:]}."
