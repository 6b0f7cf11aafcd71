"""What a study will take, before anything is paid: calls, tokens, dollars, time. Pure.

All is counted, nothing enumerated: ten million conversations are forecast as fast as ten. Every attempt is
taken to succeed; retries, lines of a user's model that are asked for again, and replies that a monitor
rejects come on top.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from echosim.errors import InputError
from echosim.inputs.talk_tokens import (
    WORST,
    Lengths,
    Talks,
    Usage,
    is_paid,
    talks_of,
    target_usage,
    user_usage,
    usual_lengths,
)
from echosim.records import Record
from echosim.study_records import Study, TargetSpec

PAID_UNASKED = 1000
"""Paid calls that a study may plan without agreement."""
HELD_UNASKED = 100_000
"""Trials likewise, paid or not: so many take hours and disc space."""
SECONDS = 4.0
"""Assumed for one call, from request to last token."""
REPLY_TOKENS = 250
"""Assumed for a typical reply of a model, about 200 words; `max_tokens` where that is less."""
READING = 0.01
"""Seconds of one core to read a reply and hold a turn; measured on the quickstart."""


class TargetForecast(Record):
    """What one target's row will take."""

    label: str
    trials: int
    replies: int
    paid_calls: int
    """Replies, and notes between sessions where it remembers; 0 for reference targets."""
    typical: Usage = Usage()
    worst: Usage = Usage()


class UserForecast(Record):
    """What the model behind one user will take, over all cells."""

    label: str
    calls: int
    """Its lines, and what it is asked about its belief."""
    typical: Usage
    worst: Usage


class Forecast(Record):
    """What a study will take when every attempt succeeds."""

    trials: int
    replies: int
    """Turns that targets answer; frozen turns of a replay are not among them."""
    paid_calls: int
    """Calls of targets and of models behind users, apart from reference targets."""
    user_calls: int = 0
    """Of these, calls of the models behind users."""
    by_target: tuple[TargetForecast, ...]
    """In study order; arms added up."""
    by_user: tuple[UserForecast, ...] = ()
    """Users with a model behind them."""
    typical: Usage = Usage()
    worst: Usage = Usage()
    """Every text as long as the study allows."""
    seconds: float = 0.0
    """Wall time at the study's calls in flight and rates."""
    unpriced: tuple[str, ...] = ()
    """Labels of paid models without a price."""
    seconds_per_call: float = SECONDS
    """Assumed."""
    reply_tokens: int = REPLY_TOKENS
    """Assumed of a typical reply."""


def forecast(study: Study, *, seconds: float = SECONDS, reply_tokens: int = REPLY_TOKENS) -> Forecast:
    """Trials, calls, tokens, cost and time of a study, counted without making the trials.

    Args:
        study: with its recordings filled in, where a user replays.
        seconds: assumed for one call, 0.01 to 3600.
        reply_tokens: assumed for a typical reply, 1 to 100,000.

    Raises:
        InputError: an assumption out of range.
        PluginError: an arm or user cannot be loaded.
    """
    if not 0.01 <= seconds <= 3600:
        raise InputError(f"seconds must be from 0.01 to 3600 for one call, got {seconds:g}")
    if not 1 <= reply_tokens <= 100_000:
        raise InputError(f"reply tokens must be from 1 to 100,000, got {reply_tokens:,}")
    usual = usual_lengths(reply_tokens)
    talks = [talks_of(study, user) for user in study.users]
    by_target = tuple(_target_forecast(study, target, talks, usual) for target in study.targets)
    by_user = tuple(_user_forecast(study, each, usual) for each in talks if each.user.model is not None)
    user_calls = sum(row.calls for row in by_user)
    rows: tuple[TargetForecast | UserForecast, ...] = (*by_target, *by_user)
    return Forecast(
        trials=sum(row.trials for row in by_target),
        replies=sum(row.replies for row in by_target),
        paid_calls=sum(row.paid_calls for row in by_target) + user_calls,
        user_calls=user_calls,
        by_target=by_target,
        by_user=by_user,
        typical=sum((row.typical for row in rows), Usage()),
        worst=sum((row.worst for row in rows), Usage()),
        seconds=_wall(study, talks, by_target, by_user, seconds),
        unpriced=tuple(m.label for m in study.models if not m.is_reference and m.price is None),
        seconds_per_call=seconds,
        reply_tokens=reply_tokens,
    )


def dollars(usage: Usage) -> str | None:
    """A cost in words; None where it is not known."""
    if usage.cost is None:
        return None
    if 0 < usage.cost < 0.005:
        return "under $0.01"
    return f"${usage.cost:,.2f}" if usage.cost < 100 else f"${usage.cost:,.0f}"


def price_tag(plan: Forecast) -> str:
    """`, about $1.20, at most $3.40`, or nothing where nothing is paid or a price is unknown."""
    if not plan.paid_calls or plan.typical.cost is None:
        return ""
    return f", about {dollars(plan.typical)}, at most {dollars(plan.worst)}"


def too_much(plan: Forecast) -> str | None:
    """Why a study wants agreement before it is held, in words; None where it is small."""
    if plan.paid_calls > PAID_UNASKED:
        tag = price_tag(plan)
        return f"{plan.paid_calls:,} paid calls{tag}{',' if tag else ''} are more than {PAID_UNASKED:,}"
    if plan.trials > HELD_UNASKED:
        return f"{plan.trials:,} trials are more than {HELD_UNASKED:,}"
    return None


def _target_forecast(
    study: Study, target: TargetSpec, talks: Sequence[Talks], usual: Lengths
) -> TargetForecast:
    held = len(study.arms) * sum(each.held for each in talks)
    replies = len(study.arms) * sum(each.held * each.asked for each in talks)
    notes = len(study.arms) * sum(each.held * each.notes for each in talks)
    return TargetForecast(
        label=target.label,
        trials=held,
        replies=replies,
        paid_calls=replies + notes if is_paid(target) else 0,
        typical=target_usage(study, target, talks, usual),
        worst=target_usage(study, target, talks, WORST),
    )


def _user_forecast(study: Study, talk: Talks, usual: Lengths) -> UserForecast:
    each = len(study.arms) * talk.held * talk.calls
    return UserForecast(
        label=talk.user.label,
        calls=each * len(study.targets),
        typical=user_usage(study, talk, each, usual),
        worst=user_usage(study, talk, each, WORST),
    )


def _wall(
    study: Study,
    talks: Sequence[Talks],
    by_target: Sequence[TargetForecast],
    by_user: Sequence[UserForecast],
    seconds: float,
) -> float:
    """The slowest of: an endpoint with its slots full, or at its rates; the longest talk; reading replies."""
    calls: dict[str, int] = defaultdict(int)
    tokens: dict[str, int] = defaultdict(int)
    voices = [each.user.model for each in talks if each.user.model is not None]
    numbers = [row.paid_calls for row in by_target] + [row.calls for row in by_user]
    rows: tuple[TargetForecast | UserForecast, ...] = (*by_target, *by_user)
    for model, number, row in zip((*study.targets, *voices), numbers, rows, strict=True):
        calls[model.server] += number
        tokens[model.server] += row.typical.tokens
    limits = study.limits
    answered = any(is_paid(target) for target in study.targets)
    longest = max(each.calls + (each.asked + each.notes) * answered for each in talks)
    return max(
        max(calls.values()) * seconds / limits.in_flight,
        60 * max(calls.values()) / limits.rpm if limits.rpm else 0.0,
        60 * max(tokens.values()) / limits.tpm if limits.tpm else 0.0,
        longest * seconds,
        sum(row.replies for row in by_target) * READING,
    )
