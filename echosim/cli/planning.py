"""Verb that says what a study will take and what it can see, before anything is paid: plan."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from echosim.cli.batch import Json, StudyArgument
from echosim.cli.output import columns, emit_json
from echosim.reporting.counted import counted

if TYPE_CHECKING:
    from echosim.inputs.forecast import Forecast
    from echosim.inputs.talk_tokens import Usage
    from echosim.scoring.power import Detectable, Power
    from echosim.study_records import Study

_UNITS = (("day", 86_400), ("h", 3600), ("min", 60), ("s", 1))


def plan(
    study: StudyArgument,
    detect: Annotated[
        float, typer.Option("--detect", metavar="ECI", help="The difference that you want to see.")
    ] = 10.0,
    pilot: Annotated[
        Path | None,
        typer.Option("--pilot", metavar="RUN", help="Take the spread of net capture from this run."),
    ] = None,
    seconds: Annotated[
        float, typer.Option("--seconds", metavar="S", help="Assumed for one call, to its last token.")
    ] = 4.0,
    reply_tokens: Annotated[
        int, typer.Option("--reply-tokens", metavar="N", help="Assumed for a typical reply.")
    ] = 250,
    as_json: Json = False,
) -> None:
    """Calls, tokens, cost, time, and the smallest difference that the study can see; calls no model."""
    from echosim import api

    loaded = api.load_study(study)
    forecast = api.plan(loaded, seconds=seconds, reply_tokens=reply_tokens)
    power = api.power(loaded, pilot=pilot, detect=detect)
    if as_json:
        emit_json(forecast.model_dump(mode="json") | {"power": power.model_dump(mode="json")})
        return
    typer.echo(_taken(forecast))
    for line in _assumed(forecast, loaded):
        typer.echo(line)
    typer.echo(_seen(power))
    for note in _notes(power):
        typer.echo(f"note: {note}")
    if loaded.population is not None:
        people = counted(loaded.population, "person", "people")
        typer.echo(f"{people} for each claim, traits drawn from the population; no seeds")


def _taken(forecast: Forecast) -> str:
    """By target, then by user with a model behind it; tokens and cost only where something is paid."""
    rows: list[tuple[Any, ...]] = [
        (row.label, row.trials, row.replies, row.paid_calls, *_usage(row.typical, row.worst))
        for row in forecast.by_target
    ]
    rows += [
        (f"user {row.label}", 0, 0, row.calls, *_usage(row.typical, row.worst)) for row in forecast.by_user
    ]
    counts = (forecast.trials, forecast.replies, forecast.paid_calls)
    rows.append(("all", *counts, *_usage(forecast.typical, forecast.worst)))
    header = ("target", "trials", "replies", "paid calls", "tokens", "at most", "cost", "at most")
    width = len(header) if forecast.paid_calls else 4
    return columns(header[:width], [row[:width] for row in rows])


def _usage(typical: Usage, worst: Usage) -> tuple[int, int, str, str]:
    from echosim.inputs.forecast import dollars

    cost, most = (dollars(usage) or "no price" if usage.tokens else "-" for usage in (typical, worst))
    return typical.tokens, worst.tokens, cost, most


def _assumed(forecast: Forecast, study: Study) -> list[str]:
    """Time, and what all these numbers rest on."""
    from echosim.inputs.forecast import too_much
    from echosim.inputs.talk_tokens import WORST, usual_lengths
    from echosim.users.worded_lines import RESAMPLES

    about = f"about {_duration(forecast.seconds)}"
    if not forecast.paid_calls:
        lines = [f"{about} to read the replies, on one core"]
    else:
        limits, usual = study.limits, usual_lengths(forecast.reply_tokens)
        rates = ((limits.rpm, "requests a minute"), (limits.tpm, "tokens a minute"))
        paces = [f"{limits.in_flight} in flight", *(f"{rate:g} {unit}" for rate, unit in rates if rate)]
        lines = [
            f"{about}, at {forecast.seconds_per_call:g} s a call (--seconds) and {', '.join(paces)}",
            f"assumed: replies of {forecast.reply_tokens} tokens (--reply-tokens) or max_tokens, "
            f"{usual.per_word:g} tokens a word; at most: max_tokens, {WORST.per_word:g} a word",
        ]
        if forecast.user_calls:
            lines.append(
                f"a user's line that fails its checks is asked for again, up to {RESAMPLES} times: these come"
                " on top"
            )
    if forecast.unpriced:
        lines.append(f"no price: {', '.join(forecast.unpriced)}; give price: {{input: .., output: ..}}")
    much = too_much(forecast)
    return [*lines, f"`run` will want --yes: {much}"] if much else lines


def _seen(power: Power) -> str:
    """What the design can see, and what the wanted difference needs."""
    pairs = counted(power.all_pairs.comparisons, "pair")
    rows = [
        (name, _eci(one.smallest), f"{one.families:,} families", _seeds(one))
        for name, one in (("two cells", power.one_pair), (f"any of {pairs}", power.all_pairs))
    ]
    header = ("at 80% power", "sees", f"{_eci(power.wanted)} need", "or, with families as planned")
    return columns(header, rows if power.all_pairs.comparisons > 1 else rows[:1])


def _notes(power: Power) -> list[str]:
    families, seeds = counted(power.families, "family", "families"), counted(power.seeds, "seed")
    spread = power.spread
    noise = "seeds in it" if spread.noise is None else f"seeds {spread.noise:.2f}"
    source = (
        "assumed; --pilot RUN takes that of a run" if spread.source == "assumed" else f"of {spread.source}"
    )
    reasons = [power.one_pair.smallest_reason]
    if reasons == [None]:
        reasons = [power.one_pair.seeds_reason, power.all_pairs.seeds_reason]
    return [
        f"planned: {families} with holder and control, by severity worth "
        f"{power.families / power.weighting:.1f} equal ones, and {seeds}",
        f"spread of net capture, sd: family x cell {spread.interaction:.2f}, {noise}; {source}",
        *dict.fromkeys(reason for reason in reasons if reason),
    ]


def _seeds(one: Detectable) -> str:
    return "-" if one.seeds is None else counted(one.seeds, "seed")


def _eci(points: float | None) -> str:
    if points is None:
        return "-"
    return f"{points:.2g} ECI" if points < 10 else f"{points:.0f} ECI"


def _duration(seconds: float) -> str:
    """`45 s`, `2 min 40 s`, `24 min`, `3 days 5 h`."""
    whole = max(1, round(seconds))
    place = next(place for place, (_, size) in enumerate(_UNITS) if whole >= size)
    unit, size = _UNITS[place]
    number, rest = divmod(whole, size)
    words = counted(number, unit) if unit == "day" else f"{number:,} {unit}"
    if number >= 10 or size == 1:
        return words
    smaller, step = _UNITS[place + 1]
    return f"{words} {rest // step} {smaller}" if rest >= step else words
