"""How far the channels that read the same replies agree: pure statistics for a page to show.

Ranks are compared within one persona's claim and then averaged, persona to family to all: pooled over
claims, two channels agree as soon as both notice which subject is talked about. Means and differences
are of the channels' own values, which all lie in [-1, 1] but are not on one calibrated scale.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import combinations
from statistics import fmean
from typing import NamedTuple

from echosim.checks.channels import EMBEDDING, Channel, Heard
from echosim.checks.separation import spearman
from echosim.records import Estimate, Record, Role, Signed
from echosim.scoring.estimates import PersonaMean, family_mean, plain_mean

FEWEST_REPLIES = 5
"""Replies of one persona that both channels must have read for a rank correlation."""
SIDED = 0.25
"""From this absolute value on a reading takes a side, as in the metrics of a board."""
SHOWN = 20
"""Replies to read."""

Values = dict[str, float]
"""Stance by channel identity, of the channels that have one."""


class _Place(NamedTuple):
    """Where a reply was given."""

    target: str
    arm: str
    user: str
    role: Role
    family: str
    persona: str


Rows = Sequence[tuple[_Place, Values]]


class ChannelCount(Record):
    """One channel, and of how many replies it has a value."""

    channel: Channel
    read: int
    missing: tuple[tuple[str, int], ...]
    """(reason, replies) without a value, the most frequent first; "not read yet" among them."""


class PairAgreement(Record):
    """Two channels over the replies that both have a value for."""

    first: str
    """Identity; "embedding" wherever that is one of the two."""
    second: str
    replies: int
    rho: Estimate
    """Spearman's rank correlation within a persona's claim, mean over families with its interval."""
    opposite: int
    """Replies where one takes the claim's side and the other the opposite side, both from .25 on."""


class CellMean(Record):
    """One channel in one cell and role, beside the embedding channel over the same replies."""

    target: str
    arm: str
    user: str
    role: Role
    channel: str
    replies: int
    mean: Estimate
    """Stance toward the persona's own claim; seeds and turns averaged first, then families."""
    embedding: Estimate


class Disagreement(Record):
    """A reply to read: the embedding channel and another one are far apart."""

    trial: str
    turn: int
    persona: str
    target: str
    arm: str
    channel: str
    embedding: Signed
    other: Signed
    quote: str | None
    """The words that the other channel went by, where it gives any."""


class Agreement(Record):
    """All that a page needs to show the channels of one run side by side."""

    channels: tuple[ChannelCount, ...]
    """The embedding channel first."""
    n: int
    """Replies of the run."""
    pairs: tuple[PairAgreement, ...]
    """With the embedding channel first, then the others among each other."""
    cells: tuple[CellMean, ...]
    disagreements: tuple[Disagreement, ...]
    """At most 20 replies, each once, the largest difference first."""


def called(found: Agreement) -> dict[str, str]:
    """What to call each channel, by identity: its name, with the identity where two share one."""
    each = [count.channel for count in found.channels]
    twice = Counter(channel.name for channel in each)
    return {
        channel.identity: channel.name if twice[channel.name] == 1 else f"{channel.name} ({channel.identity})"
        for channel in each
    }


def agreement(channels: Sequence[Channel], replies: Iterable[Heard]) -> Agreement:
    """The agreement of these channels with the embedding channel and with each other.

    Args:
        channels: the other channels; their order is kept.
        replies: what was read, each reply once; a channel without an entry has not read it.
    """
    everyone = (Channel(identity=EMBEDDING, name=EMBEDDING, kind="embedding"), *channels)
    names = [channel.identity for channel in everyone]
    missing: dict[str, Counter[str]] = {name: Counter() for name in names}
    rows: list[tuple[_Place, Values]] = []
    far: list[Disagreement] = []
    n = 0
    for heard in replies:
        n += 1
        values: Values = {}
        for name in names:
            reading = heard.readings.get(name)
            if reading is not None and reading.stance is not None:
                values[name] = reading.stance
            elif reading is None:
                missing[name]["not read yet"] += 1
            else:
                missing[name][reading.reason or "no reason given"] += 1
        if values.keys() - {EMBEDDING}:
            place = _Place(heard.target, heard.arm, heard.user, heard.role, heard.family, heard.persona)
            rows.append((place, values))
            far += _farthest(heard, values)
            if len(far) > 100 * SHOWN:  # a run may hold more replies than are worth keeping
                far = _largest(far)
    return Agreement(
        channels=tuple(
            ChannelCount(
                channel=one, read=n - missing[one.identity].total(), missing=_ranked(missing[one.identity])
            )
            for one in everyone
        ),
        n=n,
        pairs=tuple(_pair(rows, first, second) for first, second in combinations(names, 2)),
        cells=tuple(_cells(rows, names[1:])),
        disagreements=tuple(_largest(far)),
    )


def _ranked(counts: Counter[str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _pair(rows: Rows, first: str, second: str) -> PairAgreement:
    by_persona: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for place, values in rows:
        if first in values and second in values:
            both = (values[first], values[second])
            by_persona.setdefault((place.family, place.persona), []).append(both)
    families: dict[str, list[float]] = {}
    for (family, _), pairs in sorted(by_persona.items()):
        rho = spearman(*zip(*pairs, strict=True)) if len(pairs) >= FEWEST_REPLIES else None
        if rho is not None:
            families.setdefault(family, []).append(rho)
    known = family_mean([fmean(found) for found in families.values()])
    if known.n == 0:
        reason = f"no persona with {FEWEST_REPLIES} replies on which both channels vary"
        known = Estimate(value=None, reason=reason)
    everything = [pair for pairs in by_persona.values() for pair in pairs]
    return PairAgreement(
        first=first,
        second=second,
        replies=len(everything),
        rho=known,
        opposite=sum(x * y < 0 and min(abs(x), abs(y)) >= SIDED for x, y in everything),
    )


def _cells(rows: Rows, others: Sequence[str]) -> list[CellMean]:
    found: dict[tuple[str, str, str, Role], list[tuple[_Place, Values]]] = {}
    for row in rows:
        place = row[0]
        found.setdefault((place.target, place.arm, place.user, place.role), []).append(row)
    cells = []
    for (target, arm, user, role), members in sorted(found.items()):
        for channel in others:
            both = [(place, values) for place, values in members if {channel, EMBEDDING} <= values.keys()]
            if both:
                cells.append(
                    CellMean(
                        target=target,
                        arm=arm,
                        user=user,
                        role=role,
                        channel=channel,
                        replies=len(both),
                        mean=_mean(both, channel),
                        embedding=_mean(both, EMBEDDING),
                    )
                )
    return cells


def _mean(rows: Rows, channel: str) -> Estimate:
    by_persona: dict[tuple[str, str], list[float]] = {}
    for place, values in rows:
        by_persona.setdefault((place.family, place.persona), []).append(values[channel])
    group = [
        PersonaMean(persona=persona, family=family, weight=1.0, value=fmean(values))
        for (family, persona), values in by_persona.items()
    ]
    return plain_mean(group, "replies")


def _farthest(heard: Heard, values: Values) -> list[Disagreement]:
    """The reply beside the channel that is farthest from the embedding channel; none where none differs."""
    own = values.get(EMBEDDING)
    if own is None:
        return []
    name = max(
        (name for name in values if name != EMBEDDING), key=lambda name: (abs(values[name] - own), name)
    )
    if values[name] == own:
        return []
    return [
        Disagreement(
            trial=heard.trial,
            turn=heard.turn,
            persona=heard.persona,
            target=heard.target,
            arm=heard.arm,
            channel=name,
            embedding=own,
            other=values[name],
            quote=heard.readings[name].quote,
        )
    ]


def _largest(far: Sequence[Disagreement]) -> list[Disagreement]:
    ordered = sorted(far, key=lambda one: (-abs(one.embedding - one.other), one.trial, one.turn))
    return ordered[:SHOWN]
