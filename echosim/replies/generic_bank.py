"""The generic bank: replies about beliefs of all kinds that no persona holds, by several writers.

One file a writer in `banks/generic/`, each with topics and topic-free sentences of its own. The heads are
fitted on the train writers; design choices were made on `dev`; `test` only judges. A register is a manner
of speaking (clinical, casual, mystical ...); praise stands in all three stances.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Literal

Writer = Literal[
    "train_a", "train_b", "train_c", "train_d", "train_e", "train_f", "train_g", "train_h", "train_i",
    "dev", "test",
]  # fmt: skip
TRAIN: tuple[Writer, ...] = (
    "train_a", "train_b", "train_c", "train_d", "train_e", "train_f", "train_g", "train_h", "train_i",
)  # fmt: skip
PAIRED = (
    "pairs_a",
    "pairs_b",
    "pairs_c",
    "pairs_d",
    "pairs_e",
    "pairs_f",
    "pairs_g",
    "pairs_h",
    "pairs_i",
    "pairs_j",
    "pairs_k",
    "pairs_l",
    "pairs_m",
    "pairs_n",
    "pairs_o",
    "pairs_p",
)
"""Writers of minimal pairs; all for training."""
STANCES: Mapping[str, int] = {"accept": 1, "refute": -1, "neither": 0}
_PLAIN: Mapping[str, int] = {"affirm": 1, "deny": -1, "neither": 0}
_TOPIC = ("kind", "claim", "negation", "affirming", "denying", "user", *STANCES)
_BELIEF = ("kind", "claim", "negation", "affirming", "denying", "user", "for", "against")


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


@dataclass(frozen=True, slots=True)
class Pair:
    """Two replies to one message that differ in stance only.

    Attributes:
        manner: what they have in common (negation, hedged, empathy, ...).
        accepting, refuting: one or several sentences.
    """

    manner: str
    accepting: str
    refuting: str


@dataclass(frozen=True, slots=True)
class PairedBelief:
    """One belief with minimal pairs of replies to one message; the other fields as in `Topic`."""

    claim: str
    affirming: tuple[str, ...]
    denying: tuple[str, ...]
    user: str
    pairs: tuple[Pair, ...]


@cache
def load(writer: Writer) -> GenericBank:
    """One writer's part of the bank.

    Raises:
        ValueError: the file lacks something, or has something that would not be read.
    """
    raw = _raw(writer)
    _exactly(raw, ("topic", "free"), writer)
    _exactly(raw["free"], STANCES, f"{writer}: free")
    for number, topic in enumerate(raw["topic"], start=1):
        _exactly(topic, _TOPIC, f"{writer}: topic {number}")
    return GenericBank(
        topics=tuple(_topic(each) for each in raw["topic"]),
        free=tuple(
            GenericReply(stance, register, "", text)
            for name, stance in STANCES.items()
            for register, texts in raw["free"][name].items()
            for text in texts
        ),
    )


@cache
def load_paired(writer: str) -> tuple[PairedBelief, ...]:
    """One writer's beliefs with minimal pairs.

    Raises:
        ValueError: the file lacks something, or has something that would not be read.
    """
    raw = _raw(writer)
    _exactly(raw, ("belief",), writer)
    for number, belief in enumerate(raw["belief"], start=1):
        _exactly(belief, _BELIEF, f"{writer}: belief {number}")
        _exactly(belief["against"], belief["for"], f"{writer}: belief {number}: against")
    return tuple(
        PairedBelief(
            claim=belief["claim"],
            affirming=tuple(belief["affirming"]),
            denying=tuple(belief["denying"]),
            user=belief["user"],
            pairs=tuple(
                Pair(manner, text, belief["against"][manner]) for manner, text in belief["for"].items()
            ),
        )
        for belief in raw["belief"]
    )


def load_pairs(writer: str) -> tuple[Pair, ...]:
    """One writer's minimal pairs, about all of its beliefs."""
    return tuple(pair for belief in load_paired(writer) for pair in belief.pairs)


@cache
def load_plain() -> tuple[tuple[GenericReply, ...], tuple[GenericReply, ...]]:
    """Plain sentences without a topic, and templates filled with short claims.

    Raises:
        ValueError: the file lacks something, or has something that would not be read.
    """
    raw = _raw("plain")
    _exactly(raw, ("free", "topics", "templates"), "plain")
    for part in ("free", "templates"):
        _exactly(raw[part], _PLAIN, f"plain: {part}")
    free = [GenericReply(_PLAIN[name], "plain", "", text) for name in _PLAIN for text in raw["free"][name]]
    filled = [
        GenericReply(_PLAIN[name], "template", "", template.format(**topic))
        for topic in raw["topics"]
        for name in _PLAIN
        for template in raw["templates"][name]
    ]
    return tuple(free), tuple(filled)


@cache
def load_warmth() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Sentences that are warm and cold toward the person.

    Raises:
        ValueError: the file lacks something, or has something that would not be read.
    """
    raw = _raw("warmth")
    _exactly(raw, ("warm", "cold"), "warmth")
    return tuple(raw["warm"]), tuple(raw["cold"])


def fitted_bytes(*besides: Writer) -> bytes:
    """Everything that heads and lens are fitted on, as it stands in the files, and these writers."""
    return b"".join(_path(name).read_bytes() for name in (*TRAIN, *PAIRED, "plain", "warmth", *besides))


def _path(name: str) -> Traversable:
    return files("echosim.replies") / "banks" / "generic" / f"{name}.toml"


def _raw(name: str) -> dict[str, Any]:
    return tomllib.loads(_path(name).read_text("utf-8"))


def _exactly(found: Mapping[str, Any], wanted: Iterable[str], where: str) -> None:
    if odd := found.keys() ^ set(wanted):
        raise ValueError(f"generic bank {where}: missing or unknown: {', '.join(sorted(odd))}")


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
