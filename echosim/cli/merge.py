"""`echosim merge`: shards of a study, held apart, as one run."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from echosim.cli.batch import Json
from echosim.cli.output import emit_json, put
from echosim.reporting.counted import counted


def merge(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The new run folder.")],
    runs: Annotated[list[Path], typer.Argument(metavar="RUN", help="Runs of parts of one study.")],
    as_json: Json = False,
) -> None:
    """Make one run of several.

    The parts may have other personas, targets, arms, users or seeds; a trial that two of them have counts
    once, and one that went differently in two is refused.
    """
    from echosim.running.merge import merge as make
    from echosim.running.run_folder import resume_command

    made = make(out, runs)
    if as_json:
        emit_json(made.model_dump(mode="json"))
        return
    put(f"merged   {counted(made.held, 'trial')} of {counted(len(runs), 'run')} into {out}")
    if made.twice:
        put(f"twice    {counted(made.twice, 'trial')} in more than one of them, kept once")
    if made.absent:
        put(f"absent   {counted(made.absent, 'trial')} of the whole study in none of them")
    if made.unfinished:
        put(f"open     {counted(made.unfinished, 'trial')} not finished")
    if made.absent or made.unfinished:
        put(f"resume   {resume_command(out)}")
    put(f"board    echosim leaderboard {shlex.quote(str(out))}")
