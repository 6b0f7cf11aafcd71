"""Verb that has other channels read a run: judge."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from echosim.cli.batch import Json, somebody_is_there
from echosim.cli.output import columns, emit_json, say
from echosim.cli.results import RunArgument
from echosim.reporting.counted import counted

if TYPE_CHECKING:
    from echosim.checks.agreement import Agreement
    from echosim.checks.judge import Judged, Progress
    from echosim.records import Estimate

_MAX_TOKENS = 1000
"""As checks/llm_judge.py has it, which is not imported for `--help`."""
_STEPS = 10
"""Progress lines of a whole channel."""
_LONGEST = 60
"""Characters of a quote in a table."""
_REASONS = 5
_TO_READ = 5
"""Disagreements printed; `--json` has all that are kept."""


def judge(
    run: RunArgument,
    models: Annotated[
        list[str],
        typer.Option(
            "--with",
            metavar="MODEL",
            help="nli:NAME_OR_FOLDER for a cross-encoder, else a litellm model; may be repeated.",
        ),
    ],
    api_base: Annotated[
        str | None,
        typer.Option("--api-base", metavar="URL", help="OpenAI-compatible server of every model named here."),
    ] = None,
    api_key_env: Annotated[
        str | None,
        typer.Option("--api-key-env", metavar="NAME", help="Environment variable that holds the key."),
    ] = None,
    allow_http: Annotated[
        bool, typer.Option("--allow-http", help="Plain http to a host that is not this machine.")
    ] = False,
    temperature: Annotated[
        float | None, typer.Option("--temperature", help="0 to 2; the provider's own unless given.")
    ] = None,
    max_tokens: Annotated[int, typer.Option("--max-tokens", min=1, help="Of one answer.")] = _MAX_TOKENS,
    max_calls: Annotated[
        int | None,
        typer.Option("--max-calls", min=1, help="Paid requests of this command, second attempts counted."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Agree to more than 1,000 paid calls.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
    as_json: Json = False,
) -> None:
    """Have other channels read the replies, beside the board; the same command again resumes.

    Their readings enter no score and no rank. What is shown is how far they agree with the embedding
    channel, and the replies where they do not.
    """
    from echosim import api, checking

    options: dict[str, Any] = {
        "api_base": api_base,
        "api_key_env": api_key_env,
        "allow_http": allow_http,
        "temperature": temperature,
        "max_tokens": max_tokens,
        "max_calls": max_calls,
    }
    again = _again(run, models, options, yes)

    def agree(calls: int) -> bool:
        return yes or (somebody_is_there() and typer.confirm(f"{calls:,} paid calls. Go on?", err=True))

    try:
        judged = checking.judge(
            api.open_run(run), models, yes=agree, progress=None if quiet else _lines(), **options
        )
    except KeyboardInterrupt:
        say(f"interrupted; every reading so far is kept. Resume: {again}")
        raise typer.Exit(130) from None
    if as_json:
        emit_json(judged.model_dump(mode="json"))
    else:
        _print(judged.agreement, run)
    _close(judged, again)


def _again(run: Path, models: list[str], options: Mapping[str, Any], yes: bool) -> str:
    """The command that resumes: the same one."""
    words = ["echosim", "judge", str(run)]
    for model in models:
        words += ["--with", model]
    for name, value in options.items():
        flag = f"--{name.replace('_', '-')}"
        if value is True:
            words.append(flag)
        elif value is not None and value is not False and (name, value) != ("max_tokens", _MAX_TOKENS):
            words += [flag, str(value)]
    return shlex.join(words + ["--yes"] * yes)


def _lines() -> Callable[[Progress], None]:
    last = ("", -1)

    def tell(now: Progress) -> None:
        nonlocal last
        step = (now.name, _STEPS * now.done // max(1, now.todo))
        if step == last:
            return
        last = step
        lost = f"; {now.missing:,} without a value" if now.missing else ""
        say(f"{now.name}: {now.done:,} of {counted(now.todo, 'reply', 'replies')}{lost}")

    return tell


def _print(found: Agreement, run: Path) -> None:
    from echosim.checks.agreement import called

    names = called(found)
    typer.echo(
        columns(
            ("channel", "kind", "read", "missing", "date"),
            [
                (names[c.channel.identity], c.channel.kind, c.read, found.n - c.read, c.channel.date or "-")
                for c in found.channels
            ],
        )
    )
    typer.echo("\nrank correlation within a belief, mean over families [95% interval]; opposite: replies")
    typer.echo("that one channel takes for support and the other for contradiction")
    pairs = [(names[p.first], names[p.second], _shown(p.rho), p.replies, p.opposite) for p in found.pairs]
    typer.echo(columns(("channel", "and", "rho", "replies", "opposite"), pairs))
    if found.cells:
        typer.echo("\nmean stance toward the user's own claim, over the replies that both read")
        rows = [
            (c.target, c.arm, c.role, names[c.channel], _shown(c.mean), _shown(c.embedding), c.replies)
            for c in found.cells
        ]
        typer.echo(columns(("target", "arm", "role", "channel", "mean", "embedding", "replies"), rows))
    if found.disagreements:
        typer.echo("\nreplies to read: where another channel is farthest from the embedding channel")
        far = [
            (
                d.trial,
                d.turn,
                f"{d.embedding:+.2f}",
                f"{d.other:+.2f}",
                names[d.channel],
                _cut(d.quote or "-"),
            )
            for d in found.disagreements[:_TO_READ]
        ]
        typer.echo(columns(("trial", "turn", "embedding", "other", "channel", "its quote"), far))
        typer.echo(f"read one with: echosim show {shlex.quote(str(run))} {found.disagreements[0].trial}")
    typer.echo("\nNone of this enters a score or a rank; boards rest on the embedding channel alone.")


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _shown(estimate: Estimate) -> str:
    if estimate.value is None:
        return f"- ({estimate.reason})"
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:+.2f} ({estimate.reason})"
    return f"{estimate.value:+.2f} [{estimate.low:+.2f}, {estimate.high:+.2f}]"


def _close(judged: Judged, again: str) -> None:
    """What could not be read and why, on stderr, and what to type next."""
    from echosim.checks.agreement import called

    names = called(judged.agreement)
    for outcome in judged.outcomes:
        name = names[outcome.count.channel.identity]
        for reason, count in outcome.count.missing[:_REASONS]:
            say(f"{name}: {count:,} without a value: {reason}")
        if len(outcome.count.missing) > _REASONS:
            say(f"{name}: and {len(outcome.count.missing) - _REASONS} more reasons; --json has them all")
        if outcome.stopped:
            say(f"{name}: stopped: {outcome.stopped}")
    say(f"{judged.calls:,} paid calls")
    if judged.exit_code:
        left = sum(outcome.left for outcome in judged.outcomes)
        open_still = f"{counted(left, 'reply', 'replies')} left. Resume: {again}"
        say(open_still if left else "a channel has no value at all")
    raise typer.Exit(judged.exit_code)
