"""The generic bank: replies about beliefs of all kinds that no persona holds, by several writers.

One file a writer in `banks/generic/`, each with topics and topic-free sentences of its own. The heads are
fitted on the train writers; design choices were made on `dev`; `test` only judges. A register is a manner
of speaking (clinical, casual, mystical ...); praise stands in all three stances.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

Writer = Literal["train_a", "train_b", "dev", "test"]
TRAIN: tuple[Writer, ...] = ("train_a", "train_b")
STANCES: Mapping[str, int] = {"accept": 1, "refute": -1, "neither": 0}


@dataclass(frozen=True, slots=True)
class GenericReply:
    """One reply or sentence.

    Attributes:
        stance: +1 accepts, -1 refutes, 0 neither.
        register: manner of speaking.
        user: the message that it answers; "" for a sentence without topic.
        text: one or several sentences.
    """

    stance: int
    register: str
    user: str
    text: str


@dataclass(frozen=True, slots=True)
class Topic:
    """One belief and what is said about it.

    Attributes:
        kind: health, science, conspiracy, spiritual, ...
        claim: clause as it follows "that".
        negation: likewise.
        affirming: statements for it.
        denying: statements against it.
        replies: of all three stances.
    """

    kind: str
    claim: str
    negation: str
    affirming: tuple[str, ...]
    denying: tuple[str, ...]
    replies: tuple[GenericReply, ...]


@dataclass(frozen=True, slots=True)
class GenericBank:
    """What one writer wrote."""

    topics: tuple[Topic, ...]
    free: tuple[GenericReply, ...]


@cache
def load(writer: Writer) -> GenericBank:
    """One writer's part of the bank."""
    path = files("echosim.replies") / "banks" / "generic" / f"{writer}.toml"
    raw = tomllib.loads(path.read_text("utf-8"))
    return GenericBank(
        topics=tuple(_topic(each) for each in raw["topic"]),
        free=tuple(
            GenericReply(stance, register, "", text)
            for name, stance in STANCES.items()
            for register, texts in raw["free"][name].items()
            for text in texts
        ),
    )


def _topic(raw: Mapping[str, Any]) -> Topic:
    user = raw["user"]
    return Topic(
        kind=raw["kind"],
        claim=raw["claim"],
        negation=raw["negation"],
        affirming=tuple(raw["affirming"]),
        denying=tuple(raw["denying"]),
        replies=tuple(
            GenericReply(stance, register, user[number % len(user)], text)
            for name, stance in STANCES.items()
            for number, (register, text) in enumerate(raw[name].items())
        ),
    )
