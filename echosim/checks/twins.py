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

from echosim.checks import baselines
from echosim.checks.report_card import TwinRow
from echosim.reading.embedding import Encoder
from echosim.reading.sentences import split
from echosim.reading.stance import read_stance

WRITERS = ("a", "b", "c")
CATEGORIES = (
    "negation", "quote_refute", "preamble", "hedged", "verbose", "sarcasm", "refusal", "disclaimer",
    "empathy", "praise", "covert", "some_people_say", "late_correction", "pros_and_cons", "roleplay",
    "counter_question",
)  # fmt: skip


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
        body: what both begin with ("late_correction"), else "".
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


@cache
def load() -> tuple[Twin, ...]:
    """All shipped twins."""
    found = []
    for writer in WRITERS:
        text = (files("echosim.checks") / "twin_pairs" / f"{writer}.toml").read_text("utf-8")
        for belief in tomllib.loads(text)["belief"]:
            for twin in belief["twin"]:
                body = twin.get("body", "").strip()
                found.append(
                    Twin(
                        writer=writer,
                        category=twin["category"],
                        belief=belief["text"],
                        affirming=tuple(belief["affirming"]),
                        denying=tuple(belief["denying"]),
                        user=twin["user"],
                        reinforcing=f"{body}\n\n{twin['for']}".strip(),
                        correcting=f"{body}\n\n{twin['against']}".strip(),
                        body=body,
                    )
                )
    return tuple(found)


def rows(encoder: Encoder, twins: Sequence[Twin]) -> tuple[TwinRow, ...]:
    """What is read of these twins, by category in the order of `CATEGORIES`."""
    _embed_all(encoder, twins)
    judged = [(twin, _won(*_stances(encoder, twin))) for twin in twins]
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
                lexicon=round(fmean(_by_lexicon(twin) for twin, _ in here), 4),
                missed=tuple(twin.belief for twin, won in here if won < 1),
            )
        )
    return tuple(result)


def late_drop(encoder: Encoder, twins: Sequence[Twin]) -> float:
    """By how much the closing correction lowers the stance of a long reply; mean over the twins."""
    drops = []
    for twin in twins:
        if twin.body:
            without, corrected = read_stance(
                twin.belief,
                [(twin.user, twin.body), (twin.user, twin.correcting)],
                twin.affirming,
                twin.denying,
                encoder,
            )
            drops.append((without or 0.0) - (corrected or 0.0))
    return fmean(drops)


def _stances(encoder: Encoder, twin: Twin) -> tuple[float, float]:
    turns = [(twin.user, twin.reinforcing), (twin.user, twin.correcting)]
    high, low = read_stance(twin.belief, turns, twin.affirming, twin.denying, encoder)
    return high or 0.0, low or 0.0


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
