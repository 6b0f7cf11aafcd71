"""Known-answer twins: two replies to one message that differ in stance only, in sixteen hard manners.

Written by hand by several writers, about beliefs that no persona and no bank has. Nothing is fitted on
them. They are read as any chat is read: with two affirming and three denying statements.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from statistics import fmean
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from echosim.checks import baselines
from echosim.checks.report_card import TwinRow
from echosim.checks.required_stance import required_stance
from echosim.reading.embedding import Encoder
from echosim.reading.sentences import split
from echosim.reading.stance import read_stance
from echosim.records import Record

WRITERS = ("a", "b", "c")
CATEGORIES = (
    "negation", "quote_refute", "preamble", "hedged", "verbose", "sarcasm", "refusal", "disclaimer",
    "empathy", "praise", "covert", "some_people_say", "late_correction", "pros_and_cons", "roleplay",
    "counter_question",
)  # fmt: skip
LATE = "late_correction"
"""The category whose two replies begin with the same long body."""


def _worded(text: str) -> str:
    if not split(text):
        raise ValueError("has no words")
    return text


_Words = Annotated[str, AfterValidator(_worded)]


@dataclass(frozen=True, slots=True)
class Twin:
    """One pair.

    Attributes:
        writer: who wrote it.
        category: what makes it hard.
        belief: one sentence.
        affirming, denying: statements for and against it.
        user: the message that both answer.
        reinforcing, correcting: the two replies.
        body: what both begin with (`LATE`), else "".
    """

    writer: str
    category: str
    belief: str
    affirming: tuple[str, ...]
    denying: tuple[str, ...]
    user: str
    reinforcing: str
    correcting: str
    body: str


class _Written(Record):
    """One pair as it stands in a file; a misspelt field is an error and no gap."""

    category: str
    user: _Words
    reinforcing: _Words = Field(alias="for")
    correcting: _Words = Field(alias="against")
    body: str = ""

    @model_validator(mode="after")
    def _is_a_pair(self) -> Self:
        if self.category not in CATEGORIES:
            raise ValueError(f"category {self.category!r} is none of {', '.join(CATEGORIES)}")
        if self.reinforcing.strip() == self.correcting.strip():
            raise ValueError("the two replies are the same")
        if bool(split(self.body)) != (self.category == LATE):
            raise ValueError(f"a body stands in {LATE}, and nowhere else")
        return self


class _Belief(Record):
    """One belief with its pairs; `kind` and `negation` are for whoever reads the file."""

    kind: _Words
    text: _Words
    negation: _Words
    affirming: tuple[_Words, _Words]
    denying: tuple[_Words, _Words, _Words]
    twin: Annotated[tuple[_Written, ...], Field(min_length=1)]


class _File(Record):
    belief: Annotated[tuple[_Belief, ...], Field(min_length=1)]


@cache
def load() -> tuple[Twin, ...]:
    """All shipped twins.

    Raises:
        ValueError: a file lacks something, or has something that would not be read.
    """
    folder = files("echosim.checks") / "twin_pairs"
    return tuple(
        twin for writer in WRITERS for twin in parse(writer, (folder / f"{writer}.toml").read_text("utf-8"))
    )


def parse(writer: str, text: str) -> list[Twin]:
    """The twins of one writer's file.

    Raises:
        ValueError: it is no TOML, lacks something, or has something that would not be read.
    """
    try:
        written = _File.model_validate(tomllib.loads(text))
    except ValueError as error:
        raise ValueError(f"twins {writer}: {error}") from error
    return [
        Twin(
            writer=writer,
            category=twin.category,
            belief=belief.text,
            affirming=belief.affirming,
            denying=belief.denying,
            user=twin.user,
            reinforcing=f"{twin.body.strip()}\n\n{twin.reinforcing}".strip(),
            correcting=f"{twin.body.strip()}\n\n{twin.correcting}".strip(),
            body=twin.body.strip(),
        )
        for belief in written.belief
        for twin in belief.twin
    ]


def rows(encoder: Encoder, twins: Sequence[Twin]) -> tuple[TwinRow, ...]:
    """What is read of these twins, by category in the order of `CATEGORIES`; a tie counts one half.

    Raises:
        ScoringError: a reply was given no stance.
    """
    _embed_all(encoder, twins)
    judged = [(twin, _won(*_stances(encoder, twin, twin.reinforcing, twin.correcting))) for twin in twins]
    result = []
    for category in CATEGORIES:
        here = [(twin, won) for twin, won in judged if twin.category == category]
        if not here:
            continue
        result.append(
            TwinRow(
                category=category,
                pairs=len(here),
                right=round(fmean(won for _, won in here), 4),
                cosine=round(fmean(_by_cosine(encoder, twin) for twin, _ in here), 4),
                length=round(fmean(_won(len(t.reinforcing), len(t.correcting)) for t, _ in here), 4),
                lexicon=round(fmean(_by_lexicon(twin) for twin, _ in here), 4),
                missed=tuple(twin.belief for twin, won in here if won < 1),
            )
        )
    return tuple(result)


def late_drop(encoder: Encoder, twins: Sequence[Twin]) -> float:
    """By how much a closing correction lowers the stance of a long reply; mean over the twins with a body.

    Raises:
        ScoringError: a reply was given no stance.
    """
    drops = []
    for twin in twins:
        if twin.body:
            without, corrected = _stances(encoder, twin, twin.body, twin.correcting)
            drops.append(without - corrected)
    return fmean(drops)


def _stances(encoder: Encoder, twin: Twin, *replies: str) -> list[float]:
    turns = [(twin.user, reply) for reply in replies]
    read = read_stance(twin.belief, turns, twin.affirming, twin.denying, encoder)
    return [required_stance(value, reply) for value, reply in zip(read, replies, strict=True)]


def _by_cosine(encoder: Encoder, twin: Twin) -> float:
    return _won(
        baselines.cosine(encoder.embed, twin.belief, twin.reinforcing),
        baselines.cosine(encoder.embed, twin.belief, twin.correcting),
    )


def _by_lexicon(twin: Twin) -> float:
    return _won(baselines.lexicon(twin.reinforcing), baselines.lexicon(twin.correcting))


def _won(high: float, low: float) -> float:
    return (high > low) + 0.5 * (high == low)


def _embed_all(encoder: Encoder, twins: Sequence[Twin]) -> None:
    """One call for all of them: the encoder keeps the vectors, and full batches are many times faster."""
    texts = [text for twin in twins for text in (twin.user, twin.reinforcing, twin.correcting)]
    encoder.embed([sentence for text in texts for sentence in split(text)])
