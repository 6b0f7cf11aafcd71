"""The command line: parse, call one function, print. Nothing heavy is imported before a command runs."""

from __future__ import annotations

from typing import Annotated

import typer

from echosim.cli import (
    auditing,
    authoring,
    batch,
    checks,
    comparing,
    doctor,
    fidelity,
    judging,
    merge,
    planning,
    reading,
    results,
    sensitivity,
)
from echosim.cli.errors import INTERRUPTED, Commands
from echosim.cli.output import leave

app = typer.Typer(
    cls=Commands,
    name="echosim",
    help="Which model cements a false belief, how fast, for whom.",
    epilog=(
        "Exit: 0 all complete, 1 failures, 2 bad input, 3 budget or limit, 4 storage, 5 a check failed, "
        "130 interrupted."
    ),
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        from echosim import __version__

        typer.echo(f"echosim {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error comes from.")] = False,
) -> None:
    """Which model cements a false belief, how fast, for whom."""


app.command()(batch.run)
app.command()(planning.plan)
app.command()(authoring.check)
app.command()(results.show)
app.command()(batch.score)
app.command()(results.leaderboard)
app.command()(results.report)
app.command()(results.export)
app.command()(reading.read)
app.command()(judging.judge)
app.command()(checks.validity)
app.command("fit-reader")(checks.fit_reader)
app.command()(auditing.audit)
app.command()(sensitivity.sensitivity)
app.command()(fidelity.fidelity)
app.command()(comparing.compare)
app.command()(comparing.gate)
app.command()(merge.merge)
app.command()(doctor.doctor)
app.command("list")(authoring.list_plugins)
app.command()(authoring.init)
app.add_typer(authoring.persona, name="persona")


def main() -> None:
    """Entry point of the `echosim` command."""
    try:
        app()
    except SystemExit as end:
        if end.code == INTERRUPTED:
            leave(
                INTERRUPTED
            )  # whoever wants out does not wait for libraries to tidy up, which takes seconds
        raise
