"""Persona format 1 as frozen records. The only reader of the YAML is inputs/personas.py.

A family is three personas around one claim: the holder believes the false claim, the mirror its
negation, the control a true and equally unusual claim of the same domain.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from echosim.records import FactSheet, Record, Role, Share

Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Line = Annotated[str, StringConstraints(min_length=1, max_length=300)]
"""One line of text."""
Clause = Annotated[str, StringConstraints(min_length=3, max_length=200, pattern=r"[^.\s]$")]
"""A claim as it follows the word "that": no full stop, capital only for a name."""
Domain = Literal[
    "health",
    "science",
    "finance",
    "conspiracy",
    "relationships",
    "spiritual",
    "technical",
    "civic",
    "history",
    "teen",
]


class Claim(Record):
    """The sentence that this persona believes."""

    text: Clause
    """As it follows "that": `the Earth is flat`."""
    negation: Clause
    """The opposite, as a statement of its own: `the Earth is a globe`."""
    truth: Literal["false", "contested", "true"]
    """Truth of `text`. Contested claims enter only the mirror gap and flips."""
    confidence: Annotated[float, Field(ge=0.5, le=0.95)]
    """Confidence before the first turn, as a probability."""


class Point(Record):
    """One piece of evidence in two wordings: targets speak `text`, the reader matches `paraphrase`."""

    id: Id
    text: Line
    """A whole sentence, as a target says it."""
    paraphrase: Line
    """The same fact in other words; no five words in a row shared with `text`."""
    kind: Literal["study", "measurement", "record", "logic", "testimony"]
    source: Line
    """Where it can be checked, or for a believers' point where it is commonly made."""
    checked_on: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$")]


class Traits(Record):
    """Fixed traits of the belief engine (notes in belief/engine.py)."""

    openness: Share
    identity: Share
    closure: Share
    cognition: Share
    malleability: Annotated[float, Field(ge=0.3, le=3.0)] = 1.0
    """m: how far one reply moves this person; median 1 in the population."""
    trust: Annotated[float, Field(ge=0.2, le=0.9)]
    """tau at turn 0."""


class Style(Record):
    """How the persona writes."""

    tone: Literal["casual", "plain", "formal"]
    words_min: Annotated[int, Field(ge=3, le=60)]
    words_max: Annotated[int, Field(ge=8, le=120)]
    typos: Annotated[float, Field(ge=0, le=0.1)] = 0.0
    """Share of words with a typing slip."""
    emotion: Share
    lexicon: tuple[Line, ...] = ()
    """Pet phrases ("to be honest")."""

    @model_validator(mode="after")
    def _ordered(self) -> Style:
        if self.words_min > self.words_max:
            raise ValueError("words_min must not exceed words_max")
        return self


class Pressure(Record):
    """One scheduled push, the same for every target."""

    turn: Annotated[int, Field(ge=1, le=1000)]
    kind: Literal["repeat", "authority", "emotion", "social", "reproach", "doubt", "change_topic"]


class Safety(Record):
    """What keeps a persona harmless."""

    exit_phrase: Line
    """Sober closing line, said after the last turn of severity 4 and 5."""
    reviewer: Line
    """Who read this persona for harm."""
    content_note: Line


class Provenance(Record):
    """Who wrote it, when, under which licence."""

    author: Line
    date: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    licence: Line


class Persona(Record):
    """Who speaks: a claim, how it is held, what speaks for and against it, how the person talks."""

    format: Literal[1]
    id: Id
    version: Annotated[int, Field(ge=1, le=9999)]
    family: Id
    role: Role
    mirror_of: Id | None = None
    """Only for role mirror: id of the holder that everything else is inherited from."""
    domain: Domain
    severity: Annotated[int, Field(ge=1, le=5)]
    """1 trivial .. 5 grave for the user; the weight of this persona."""
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")]
    age_band: Literal["teen_13_17", "adult", "older"]
    topic: Line
    """Noun phrase for the subject, as it follows "about": `the shape of the Earth`."""
    claim: Claim
    affirming: Annotated[tuple[Line, ...], Field(min_length=3, max_length=20)]
    """Statements for the claim, in a replier's voice; some with a negation word."""
    denying: Annotated[tuple[Line, ...], Field(min_length=4, max_length=20)]
    """Statements against it; they name the alternative explanation; half without "not"."""
    supporting: Annotated[tuple[Point, ...], Field(min_length=3, max_length=12)]
    """Points for the claim: what believers say, kept mild; for a true claim the real evidence."""
    refuting: Annotated[tuple[Point, ...], Field(min_length=3, max_length=12)]
    """Points against the claim: public facts; for a true claim what doubters say."""
    opening: Line
    """The first message, in the user's voice."""
    reasons: Annotated[tuple[Line, ...], Field(min_length=3, max_length=12)]
    """Own reasons, in the user's voice."""
    goal: Literal["seek_validation", "seek_info", "vent", "plan_action"]
    stakes: Line
    """What the user might do because of the belief."""
    traits: Traits
    style: Style
    pressure: tuple[Pressure, ...] = ()
    safety: Safety
    provenance: Provenance

    @model_validator(mode="after")
    def _consistent(self) -> Persona:
        if (self.role == "mirror") != (self.mirror_of is not None):
            raise ValueError("mirror_of is set exactly when role is mirror")
        if self.role == "control" and self.claim.truth != "true":
            raise ValueError("a control believes a true claim")
        if self.role == "holder" and self.claim.truth == "true":
            raise ValueError("a holder believes a false or contested claim")
        ids = [point.id for point in (*self.supporting, *self.refuting)]
        if len(set(ids)) != len(ids):
            raise ValueError("two points have one id")
        return self

    @property
    def side(self) -> int | None:
        """+1 for the holder, -1 for the mirror, None for a control."""
        return {"holder": 1, "mirror": -1, "control": None}[self.role]

    def fact_sheet(self) -> FactSheet:
        """What a reference target may know about this persona's subject."""
        return FactSheet(
            claim=self.claim.text,
            negation=self.claim.negation,
            topic=self.topic,
            truth=self.claim.truth,
            supporting=tuple(point.text for point in self.supporting),
            refuting=tuple(point.text for point in self.refuting),
        )
