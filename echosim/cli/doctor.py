"""`echosim doctor`: is a run folder sound, what is left to do, and what can be saved of a damaged one."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from echosim.cli.batch import Json
from echosim.cli.output import columns, emit_json, put, say
from echosim.cli.results import RunArgument
from echosim.reporting.counted import counted

if TYPE_CHECKING:
    from echosim.running.doctor import Examination
    from echosim.running.salvage import Salvage

_SHOWN = 40
"""Lines of a kind that are printed."""
_DAMAGED = 4


def doctor(
    run: RunArgument,
    salvage: Annotated[
        Path | None,
        typer.Option(
            "--salvage",
            metavar="NEWFOLDER",
            help="Copy what is sound into a new run, which `run` goes on with.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Examine a run folder; changes nothing.

    Exits 0 where it is sound, 4 where it is damaged; with --salvage, 0 once the new run is made.
    """
    from echosim import __version__
    from echosim.running import doctor as examining
    from echosim.running import salvage as salvaging

    found = examining.examine(run, __version__)
    saved = None if salvage is None else salvaging.salvage(run, salvage)
    if as_json:
        document = found.model_dump(mode="json")
        emit_json(document if saved is None else {**document, "salvage": saved.model_dump(mode="json")})
    else:
        _print(found)
        if saved is not None:
            _print_saved(saved)
        elif not found.sound and (why := salvaging.obstacle(run)):
            say(f"Nothing can be saved: {why}")
        elif not found.sound:
            say(f"Save what is sound: echosim doctor {shlex.quote(str(run))} --salvage NEWFOLDER")
    raise typer.Exit(0 if found.sound or saved is not None else _DAMAGED)


def _print(found: Examination) -> None:
    damages = sum(one.kind == "damage" for one in found.findings)
    lines = [(one.kind, one.where, one.what) for one in found.findings[:_SHOWN]]
    if lines:
        put(columns(("", "where", "what"), lines))
    if len(found.findings) > _SHOWN:
        put(f"and {len(found.findings) - _SHOWN:,} more; --json has them all")
    put(f"{found.run}: {'sound' if found.sound else counted(damages, 'damage')}")


def _print_saved(saved: Salvage) -> None:
    from echosim.running.run_folder import resume_command

    put(f"saved {counted(saved.turns, 'turn')} of {counted(saved.trials, 'trial')} into {saved.out}")
    if saved.calls_lost:
        lost = counted(saved.calls_lost, "paid call")
        put(f"{lost} cannot be read: more was spent than the new run says")
    if not saved.again:
        return
    put(f"{counted(len(saved.again), 'trial')} will be held again by {resume_command(Path(saved.out))}")
    rows = [
        (one.trial, one.persona, one.target, one.seed, one.kept, one.reason) for one in saved.again[:_SHOWN]
    ]
    put(columns(("trial", "persona", "target", "seed", "turns kept", "why"), rows))
    if len(saved.again) > _SHOWN:
        put(f"and {len(saved.again) - _SHOWN:,} more; --json has them all")
