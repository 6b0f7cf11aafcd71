"""The verb `fidelity`: does the belief engine move a crowd as people moved in the studies named?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from echosim.cli.batch import Json
from echosim.cli.output import columns, emit_json

if TYPE_CHECKING:
    from echosim.checks.fidelity_card import CalibrationRow, CalibrationTable

_FAILED = 5


def fidelity(
    sweep: Annotated[
        bool,
        typer.Option(
            "--sweep", help="Also halve and raise 13 constants: does the order of the targets hold?"
        ),
    ] = False,
    users: Annotated[int, typer.Option("--users", metavar="N", min=4000, help="Size of the crowd.")] = 4000,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Another crowd.")] = 1,
    as_json: Json = False,
) -> None:
    """Calibration of the belief engine on simulated users; exit 5 where a number leaves its bracket.

    Some seconds; reads no text and calls no model.
    """
    from echosim import __version__
    from echosim.checks.fidelity import calibration_table
    from echosim.inputs.personas import load_personas, shipped

    table = calibration_table(load_personas(shipped()), __version__, users=users, seed=seed, sweep=sweep)
    if as_json:
        emit_json(table.model_dump(mode="json"))
    else:
        _print(table)
    if not table.passed:
        raise typer.Exit(_FAILED)


def _print(table: CalibrationTable) -> None:
    typer.echo(
        columns(
            ("id", "situation", "value", "bracket", "unit", ""),
            [
                (row.id, row.situation, _number(row.value), _bracket(row), row.unit,
                 "inside" if row.inside else "OUTSIDE")
                for row in table.rows
            ],
        )
    )  # fmt: skip
    typer.echo("")
    typer.echo(columns(("id", "where the number comes from"), [(row.id, row.study) for row in table.rows]))
    if table.sweep:
        _print_sweep(table)
    typer.echo("")
    typer.echo(f"{table.users:,} users, seed {table.seed}, echosim {table.version}")
    typer.echo(table.note)
    outside = [row.id for row in table.rows if not row.inside]
    broken = sum(not (row.by_capture and row.by_belief) for row in table.sweep)
    faults = [f"outside its bracket: {name}" for name in outside]
    faults += [f"the order of the targets breaks in {broken} of {len(table.sweep)} runs"] if broken else []
    typer.echo(f"failed; {'; '.join(faults)}" if faults else "passed")


def _print_sweep(table: CalibrationTable) -> None:
    targets = list(table.sweep[0].capture)
    typer.echo("\nNet capture c with one constant changed (wanted: rising from left to right)")
    typer.echo(
        columns(
            ("constant", "value", *targets, "by c", "by B"),
            [
                (row.constant, f"{row.value:g}", *(f"{row.capture[name]:+.2f}" for name in targets),
                 *("kept" if held else "BROKEN" for held in (row.by_capture, row.by_belief)))
                for row in table.sweep
            ],
        )
    )  # fmt: skip


def _bracket(row: CalibrationRow) -> str:
    """As it is written in mathematics: `[-20, -14]`, `(0, ...)`; round where the end itself is outside."""
    opened, closed = "()" if row.strict else "[]"
    low = "(..." if row.low is None else f"{opened}{_number(row.low)}"
    high = "...)" if row.high is None else f"{_number(row.high)}{closed}"
    return f"{low}, {high}"


def _number(value: float) -> str:
    return f"{value:.4g}"
