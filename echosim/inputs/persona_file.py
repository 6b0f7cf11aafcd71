"""One persona file, before any other file is looked at."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from echosim.errors import Fault
from echosim.inputs.document import Document, MapNode
from echosim.inputs.mirror import INHERITED, MirrorFile
from echosim.inputs.overlap import shared_five_words
from echosim.inputs.validation import build, repeated
from echosim.persona_records import Persona
from echosim.records import Record

ADVISED_AFFIRMING = 4
ADVISED_DENYING = 5
"""With fewer statements a side's mean direction follows single wordings more than the claim."""


@dataclass(frozen=True, slots=True)
class PersonaFile:
    """What one file gave.

    Attributes:
        path: the file.
        document: its tree.
        persona: the persona, or None where there are faults or a mirror still lacks its holder.
        mirror: what a mirror file says of its own, or None.
        faults: everything wrong with it.
    """

    path: Path
    document: Document
    persona: Persona | None
    mirror: Record | None
    faults: tuple[Fault, ...]

    @property
    def id(self) -> str | None:
        """The id as written, also where the file has faults."""
        return self.document.text("id")


def is_study(document: Document) -> bool:
    """True for a file with a top-level field `targets`."""
    return isinstance(document.root, MapNode) and document.root.entry("targets") is not None


def from_document(path: Path, document: Document) -> PersonaFile:
    """Check one file that was read."""
    if is_study(document):
        fault = document.fault(
            ("targets",), "this is a study, not a persona; name it to `echosim run` instead"
        )
        return PersonaFile(path, document, None, None, (fault,))
    if document.text("role") == "mirror":
        mirror, faults = build(document, MirrorFile, refuse=INHERITED.get)
        return PersonaFile(path, document, None, mirror, faults)
    persona, faults = build(document, Persona, checks=(_repeats,))
    return PersonaFile(path, document, persona, None, faults)


def _repeats(document: Document) -> list[Fault]:
    return [
        *repeated(document, ("supporting", "id"), ("refuting", "id")),
        *repeated(document, ("pressure", "turn")),
        *repeated(document, ("affirming",), ("denying",)),
    ]


_PERSON = re.compile(
    r"\b(?:I|[Mm]e|[Mm]y|[Mm]ine|[Mm]yself|[Ww]e|us|[Oo]ur|[Oo]urs|[Yy]ou|[Yy]our|[Yy]ours)\b(?!\.)"
)


def warnings(file: PersonaFile) -> tuple[Fault, ...]:
    """What is allowed and weakens the measurement; places are those of the file.

    For a mirror only its own fields are looked at: the rest is the holder's.
    """
    persona = file.persona
    if persona is None:
        return ()
    own = _claim_warnings(file.document)
    return tuple(own if file.mirror else (*own, *_statement_warnings(file.document, persona)))


def _claim_warnings(document: Document) -> list[Fault]:
    return [
        document.fault(
            ("claim", name),
            f"speaks of '{match[0]}'; write the claim without a first or second person: user and target "
            "would each read it as their own",
        )
        for name in ("text", "negation")
        if (match := _PERSON.search(document.text("claim", name) or ""))
    ]


def _statement_warnings(document: Document, persona: Persona) -> Iterator[Fault]:
    for name, statements, advised in (
        ("affirming", persona.affirming, ADVISED_AFFIRMING),
        ("denying", persona.denying, ADVISED_DENYING),
    ):
        if len(statements) < advised:
            yield document.fault(
                (name,), f"{len(statements)} statements; {advised} or more read more steadily"
            )
    free = (persona.claim.text, persona.claim.negation)
    said = [("affirming", i, text) for i, text in enumerate(persona.affirming)]
    said += [("denying", i, text) for i, text in enumerate(persona.denying)]
    for side, points in (("supporting", persona.supporting), ("refuting", persona.refuting)):
        for index, point in enumerate(points):
            for run in shared_five_words(point.paraphrase, point.text, free)[:1]:
                message = f"shares '{run}' with its text; word it differently, no five words in a row alike"
                yield document.fault((side, index, "paraphrase"), message)
            for wording in ("text", "paraphrase"):
                for name, i, statement in said:
                    for run in shared_five_words(getattr(point, wording), statement, free)[:1]:
                        line, _ = document.place(name, i)
                        message = (
                            f"shares '{run}' with {name}[{i}] on line {line}; word one of them differently"
                        )
                        yield document.fault((side, index, wording), message)
