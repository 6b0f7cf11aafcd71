"""Verbs that hold or score conversations: run, plan, score."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from echosim.cli.output import columns, emit_json, progress, say
from echosim.errors import InputError

if TYPE_CHECKING:
    from echosim.study_records import Study

StudyArgument = Annotated[str, typer.Argument(metavar="STUDY", help="A study file, or `quickstart`.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, nothing else.")]
Encoder = Annotated[
    str | None,
    typer.Option("--encoder", metavar="NAME", help="Another sentence-transformers model or folder."),
]


def run(
    study: StudyArgument,
    out: Annotated[
        Path | None,
        typer.Argument(metavar="OUT", help="Run folder; runs/NAME unless given.", show_default=False),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Agree to more than 1,000 paid calls.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
    encoder: Encoder = None,
    as_json: Json = False,
) -> None:
    """Hold the conversations; the same command again resumes."""
    from echosim import api

    loaded = api.load_study(study)
    folder = out if out is not None else Path("runs") / loaded.name
    agreed = _agree(loaded, yes)
    again = shlex.join(["echosim", "run", study, str(folder)])
    try:
        with progress(quiet) as tell:
            held = api.run(loaded, folder, yes=agreed, encoder=encoder, progress=tell)
    except KeyboardInterrupt:
        say(f"interrupted; every finished turn is kept. Resume: {again}")
        raise typer.Exit(130) from None
    _close(held, again, as_json)


def _agree(study: Study, yes: bool) -> bool:
    """Say what will be paid for; ask where it is much and somebody is there to ask."""
    from echosim import api

    forecast = api.plan(study)
    say(f"{forecast.trials:,} trials, {forecast.replies:,} replies, {forecast.paid_calls:,} paid calls")
    if yes or forecast.paid_calls <= api.CONFIRM_ABOVE:
        return yes
    if somebody_is_there() and typer.confirm("Go on?", err=True):
        return True
    raise InputError(
        f"{forecast.paid_calls:,} paid calls are more than {api.CONFIRM_ABOVE:,}; agree with --yes"
    )


def somebody_is_there() -> bool:
    """True where a question can be answered."""
    return sys.stdin.isatty()


def _close(held: Any, again: str, as_json: bool) -> None:
    """The board, what did not complete, where everything lies, and what to type next."""
    from echosim import api
    from echosim.reporting import tables

    summary = held.summary
    if as_json:
        typer.echo(tables.json_text(api.leaderboard(held)), nl=False)
    elif summary.complete + summary.limited + summary.refused:
        typer.echo(tables.terminal(api.leaderboard(held)))
    for status, reason, count in summary.reasons[:8]:
        say(f"{count:,} {status}: {reason}")
    if len(summary.reasons) > 8:
        say(f"and {len(summary.reasons) - 8} more reasons; `echosim report` has them all")
    if summary.limit:
        say(f"stopped by {summary.limit}")
    if summary.exit_code:
        say(f"{summary.complete:,} of {summary.planned:,} trials complete. Resume: {again}")
    if not as_json:
        folder = shlex.quote(str(held.path))
        typer.echo(f"run      {held.path}")
        typer.echo(f"read     echosim show {folder}")
        typer.echo(f"report   echosim report {folder}")
    raise typer.Exit(summary.exit_code)


def plan(study: StudyArgument, as_json: Json = False) -> None:
    """Count trials, replies and paid calls; calls no model."""
    from echosim import api

    forecast = api.plan(api.load_study(study))
    if as_json:
        emit_json(forecast.model_dump(mode="json"))
        return
    rows = [(row.label, row.trials, row.replies, row.paid_calls) for row in forecast.by_target]
    total = ("all", forecast.trials, forecast.replies, forecast.paid_calls)
    typer.echo(columns(("target", "trials", "replies", "paid calls"), [*rows, total]))


def score(
    run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")],
    metric: Annotated[
        list[str] | None,
        typer.Option("--metric", "-m", metavar="NAME", help="Only this one; may be repeated."),
    ] = None,
    encoder: Encoder = None,
    as_json: Json = False,
) -> None:
    """Score the transcripts (again); no model call."""
    from echosim import api

    scores = api.score(api.open_run(run_folder), metrics=metric or None, encoder=encoder)
    if as_json:
        emit_json({"scores": [one.model_dump(mode="json") for one in scores]})
        return
    by_metric: dict[str, list[float | None]] = {}
    for one in scores:
        by_metric.setdefault(one.metric, []).append(one.value)
    rows = []
    for name, values in sorted(by_metric.items()):
        known = [value for value in values if value is not None]
        mean = f"{sum(known) / len(known):+.3f}" if known else "-"
        rows.append((name, mean, len(known), len(values) - len(known)))
    typer.echo(columns(("metric", "mean", "trials", "missing"), rows))
