"""Mirror files: a few own fields, the rest inherited from the holder with the sides swapped."""

from __future__ import annotations

from typing import Any

from echosim.errors import Fault
from echosim.inputs.document import Document
from echosim.inputs.fields import file_record, limits, of
from echosim.persona_records import Claim, Persona
from echosim.records import Record

_OWN = ["format", "id", "role", "claim", "opening", "reasons"]

MirrorClaim = file_record("MirrorClaim", Claim, ["text"])
MirrorFile = file_record(
    "MirrorFile",
    Persona,
    _OWN,
    version=(of(Persona)["version"] | None, None),
    mirror_of=(of(Persona)["id"], ...),
    claim=(MirrorClaim, ...),
)
"""What a mirror file sets; `version` is the holder's unless given."""

INHERITED = {
    name: f"a mirror file may not set '{name}'; it is taken from the holder"
    for name in (*Persona.model_fields, *Claim.model_fields)
    if name not in MirrorFile.model_fields and name not in MirrorClaim.model_fields
}
"""Why the other fields of a persona are refused in a mirror file."""


def inherit(own: Record, holder: Persona) -> Persona:
    """The mirror of a holder: it believes the negation, and each side's material changes hands.

    Args:
        own: a `MirrorFile`.
        holder: a persona for which `inheritance_faults` finds nothing.
    """
    values: dict[str, Any] = holder.model_dump()
    given = own.model_dump(exclude_none=True)
    truth = {"false": "true", "contested": "contested"}[holder.claim.truth]
    claim = {
        "text": holder.claim.negation,
        "negation": holder.claim.text,
        "truth": truth,
        "confidence": holder.claim.confidence,
    }
    swapped = {
        "affirming": values["denying"],
        "denying": values["affirming"],
        "supporting": values["refuting"],
        "refuting": values["supporting"],
    }
    return Persona.model_validate(values | given | swapped | {"claim": claim})


def inheritance_faults(document: Document, holder: Persona, holder_path: str) -> list[Fault]:
    """Why this mirror file cannot inherit from this holder.

    Args:
        document: the mirror file.
        holder: persona that `mirror_of` names.
        holder_path: its file, for messages.
    """
    if holder.role != "holder":
        message = f"must name a holder; '{holder.id}' ({holder_path}) is a {holder.role}"
        return [document.fault(("mirror_of",), message)]
    faults = []
    if document.text("claim", "text") != holder.claim.negation:
        message = (
            f"must be the holder's claim.negation word for word: '{holder.claim.negation}' ({holder_path})"
        )
        faults.append(document.fault(("claim", "text"), message))
    needed = _least_denying()
    if len(holder.affirming) < needed:
        message = (
            f"the holder '{holder.id}' has {len(holder.affirming)} affirming statements; a holder with a "
            f"mirror needs at least {needed}: they become the mirror's denying statements ({holder_path})"
        )
        faults.append(document.fault(("mirror_of",), message))
    return faults


def _least_denying() -> int:
    return limits(of(Persona)["denying"]).min_length or 0
