"""Verbs that hold or score conversations: run, score."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import shlex
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from echosim.cli.errors import INTERRUPTED
from echosim.cli.event_lines import EventLines
from echosim.cli.output import columns, emit_json, leave, put, say
from echosim.cli.progress import progress, show_cursor
from echosim.errors import InputError
from echosim.reporting.counted import counted

if TYPE_CHECKING:
    from echosim.inputs.forecast import Forecast
    from echosim.running.events import Event

StudyArgument = Annotated[str, typer.Argument(metavar="STUDY", help="A study file, or `quickstart`.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, nothing else.")]
Encoder = Annotated[
    str | None,
    typer.Option("--encoder", metavar="NAME", help="Another sentence-transformers model or folder."),
]

_OUT = 0.8
"""Seconds from the second Ctrl-C until the process leaves, whatever it is doing: what is stored is safe."""


def run(
    ctx: typer.Context,
    study: StudyArgument,
    out: Annotated[
        Path | None,
        typer.Argument(metavar="OUT", help="Run folder; runs/NAME unless given.", show_default=False),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Agree to more than 1,000 paid calls, or 100,000 trials.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
    encoder: Encoder = None,
    log: Annotated[
        Path | None,
        typer.Option(
            "--log", metavar="FILE", help="Append what happens, one JSON object a line; no text of a talk."
        ),
    ] = None,
    allow_change: Annotated[
        bool,
        typer.Option(
            "--allow-change", help="Go on under a changed study; what it has not is kept, on no board."
        ),
    ] = False,
    engine: Annotated[
        str, typer.Option("--engine", metavar="NAME", help="Where conversations are held: local or ray.")
    ] = "local",
    ray_address: Annotated[
        str | None,
        typer.Option(
            "--ray-address", metavar="HOST:PORT", help="A Ray cluster that runs, or `auto`; else one here."
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option("--workers", metavar="N", min=1, help="Processes of engine ray; else one a CPU."),
    ] = None,
    concurrency: Annotated[
        int | None,
        typer.Option("--concurrency", metavar="M", min=1, help="Conversations alive at once on one worker."),
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="One JSON event a line on stdout, nothing else; a summary ends it, or `interrupted`.",
        ),
    ] = False,
) -> None:
    """Hold the conversations; the same command again resumes."""
    from echosim import api
    from echosim.held_run import cut_off, own_study
    from echosim.running.stopping import Stop

    loaded = (own_study(study, out) if out is not None else None) or api.load_study(study)
    folder = out if out is not None else Path("runs") / loaded.name
    forecast = api.plan(loaded)
    agreed = _agree(forecast, yes)
    again = _again(ctx, study, folder, agreed)
    if writer := cut_off(folder):
        say(f"the last session ({writer}) was cut off; every finished turn is kept")
    lines = EventLines() if as_json else None
    if lines is not None:
        lines.line("planned", _planned(forecast))

    @functools.cache
    def farewell() -> None:
        say(f"interrupted; every finished turn is kept. Resume: {again}")
        if lines is not None:
            lines.line("interrupted", {"resume": again})

    stop = Stop(at_once=lambda: _leave_soon(farewell))
    try:
        with stop.on_signals(), progress(quiet) as bar, _logged(log) as keep:
            held = api.run(
                loaded,
                folder,
                yes=agreed,
                encoder=encoder,
                progress=_all(bar, lines.progress if lines else None),
                events=_all(_say_stopping, lines.event if lines else None, keep),
                stop=stop,
                allow_change=allow_change,
                engine=engine,
                workers=workers,
                concurrency=concurrency,
                ray_address=ray_address,
            )
    except KeyboardInterrupt:
        farewell()
        raise typer.Exit(INTERRUPTED) from None
    _close(held, again, lines)


def _again(ctx: typer.Context, study: str, folder: Path, agreed: bool) -> str:
    """The command that resumes: the same options, the folder spelled out."""
    words = ["echosim", "run", study, str(folder)]
    for option in ctx.command.params:
        value = ctx.params.get(str(option.name))
        if option.name == "yes":
            value = agreed
        if option.param_type_name != "option" or value in (None, False) or value == option.default:
            continue
        name = max(option.opts, key=len)
        words += [name] if value is True else [name, str(value)]
    return shlex.join(words)


def _leave_soon(farewell: Callable[[], None]) -> None:
    """Somebody wants out: an encoder at work or a slow disc must not keep them."""

    def out() -> None:
        farewell()
        show_cursor()
        leave(INTERRUPTED)

    timer = threading.Timer(_OUT, out)
    timer.daemon = True
    timer.start()


def _say_stopping(event: Event) -> None:
    from echosim.running.events import Stopping

    if isinstance(event, Stopping):
        say(f"stopping: calls under way get {event.grace_seconds:g} s to end; once more leaves at once")


@contextlib.contextmanager
def _logged(path: Path | None) -> Iterator[Callable[[Event], None] | None]:
    """What writes the log, and a word at the end where it could not."""
    if path is None:
        yield None
        return
    from echosim.running.event_log import EventLog

    log = EventLog(path)
    try:
        yield log
    finally:
        log.close()
        if log.broken is not None:
            say(f"{path}: {log.broken.strerror}; the log is not whole")


def _all(*listeners: Callable[[Any], None] | None) -> Callable[[Any], None]:
    def tell(what: Any) -> None:
        for listener in listeners:
            if listener is not None:
                listener(what)

    return tell


def _planned(forecast: Forecast) -> dict[str, Any]:
    return {
        "trials": forecast.trials,
        "replies": forecast.replies,
        "paid_calls": forecast.paid_calls,
        "cost": forecast.typical.cost,
    }


def _agree(forecast: Forecast, yes: bool) -> bool:
    """Say what will be paid for; ask where it is much and somebody is there to ask."""
    from echosim.inputs.forecast import price_tag, too_much

    trials, replies = counted(forecast.trials, "trial"), counted(forecast.replies, "reply", "replies")
    voiced = f", {forecast.user_calls:,} of them by models behind users" if forecast.user_calls else ""
    say(f"{trials}, {replies}, {counted(forecast.paid_calls, 'paid call')}{voiced}{price_tag(forecast)}")
    much = too_much(forecast)
    if yes or much is None:
        return yes
    if somebody_is_there() and typer.confirm("Go on?", err=True):
        return True
    raise InputError(f"{much}; agree with --yes")


def somebody_is_there() -> bool:
    """True where a question can be answered."""
    return sys.stdin.isatty()


def _close(held: Any, again: str, lines: EventLines | None) -> None:
    """The board, what did not complete, where everything lies, and what to type next."""
    from echosim import api
    from echosim.reporting import tables

    summary = held.summary
    if lines is not None:
        board = json.loads(tables.json_text(api.leaderboard(held)))
        counts = {name: value for name, value in dataclasses.asdict(summary).items() if name != "reasons"}
        reasons = [{"status": s, "reason": r, "trials": n} for s, r, n in summary.reasons]
        lines.line("summary", {**counts, "reasons": reasons, "run": str(held.path), "board": board})
    elif summary.complete + summary.limited + summary.refused:
        put(tables.terminal(api.leaderboard(held)))
    for status, reason, count in summary.reasons[:8]:
        say(f"{count:,} {status}: {reason}")
    if len(summary.reasons) > 8:
        say(f"and {len(summary.reasons) - 8} more reasons; `echosim report` has them all")
    if summary.limit:
        say(f"stopped by {summary.limit}")
    if summary.in_doubt.calls:
        say(str(summary.in_doubt))
    if summary.aside:
        say(f"{counted(summary.aside, 'trial')} of earlier plans kept; not on this board")
    if summary.exit_code:
        say(f"{summary.complete:,} of {counted(summary.planned, 'trial')} complete. Resume: {again}")
    if lines is None:
        folder = shlex.quote(str(held.path))
        put(f"run      {held.path}\nread     echosim show {folder}\nreport   echosim report {folder}")
    raise typer.Exit(summary.exit_code)


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
