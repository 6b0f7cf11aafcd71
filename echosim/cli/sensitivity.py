"""Verb that asks whether a ranking survives another simulated user: sensitivity."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from echosim.cli.batch import Json
from echosim.cli.output import columns, emit_json

if TYPE_CHECKING:
    from echosim.board_records import Variance
    from echosim.checks.sensitivity import EnginePair, Sensitivity


def sensitivity(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN", help="Run folders with two or more user engines, together or apart."),
    ],
    as_json: Json = False,
) -> None:
    """Does the ranking survive another simulated user?

    The same cells, personas and seeds under two or more user engines; the order of cells, what each cell's
    ECI gains or loses, and how much of the spread of net capture is due to the users.
    """
    from echosim import checking

    found = checking.sensitivity(*runs)
    if as_json:
        emit_json(found.model_dump(mode="json"))
    else:
        _print(found)


def _print(found: Sensitivity) -> None:
    typer.echo(
        f"{found.conversations:,} conversations of {found.families:,} families, {found.left_out:,} left out\n"
    )
    typer.echo("order of the cells by ECI under two user engines [95% interval over families]; p: chance")
    typer.echo("that the cells' differences vary this much if the engines treat all cells alike")
    _orders(found)
    for pair in found.pairs:
        _shifts(pair)
    typer.echo("\nshare of the variance of net capture c over conversations")
    _variances(found)
    for note in found.notes:
        typer.echo(f"note: {note}")


def _orders(found: Sensitivity) -> None:
    from echosim.reporting.tables import interval

    rows = [
        (
            pair.first,
            pair.second,
            interval(pair.tau, 2),
            "-" if pair.p is None else f"{pair.p:.3f}",
            interval(pair.rho, 2),
            interval(pair.difference, 1),
            f"{sum(cell.moves for cell in pair.cells)} of {len(pair.cells)}",
        )
        for pair in found.pairs
    ]
    typer.echo(columns(("first", "second", "tau", "p", "rho", "ECI first - second", "cells that move"), rows))
    for pair in found.pairs:
        if pair.tau.value is None:
            typer.echo(f"note: {pair.first} and {pair.second}: {pair.tau.reason}")


def _shifts(pair: EnginePair) -> None:
    from echosim.reporting.tables import interval, number

    typer.echo(f"\n{pair.first} (first) and {pair.second} (second); * the rank changes")
    rows = [
        (
            cell.target,
            cell.arm,
            f"{cell.rank_first} -> {cell.rank_second}{' *' if cell.moves else ''}",
            number(cell.eci_first, 1),
            number(cell.eci_second, 1),
            interval(cell.difference, 1),
        )
        for cell in pair.cells
    ]
    typer.echo(columns(("target", "arm", "rank", "ECI first", "ECI second", "first - second [95%]"), rows))


def _variances(found: Sensitivity) -> None:
    each = [(one.role, one.variance) for one in found.variances]
    sources = [part.source for part in each[0][1].parts]
    rows = [(source, *(_share(variance, i) for _, variance in each)) for i, source in enumerate(sources)]
    typer.echo(columns(("source", *(f"{role}s" for role, _ in each)), rows))
    for role, variance in each:
        if variance.left_out:
            typer.echo(
                f"note: {role}s: {variance.left_out:,} conversations do not fit into {variance.families:,} "
                f"families with {variance.seeds:,} seeds each and are not in these shares"
            )
    for reason in dict.fromkeys(
        part.reason for _, variance in each for part in variance.parts if part.reason
    ):
        typer.echo(f"note: {reason}")


def _share(variance: Variance, place: int) -> str:
    part = variance.parts[place]
    if part.share is None:
        return "-"
    return f"{part.share:.0%}" + (" (below 0)" if part.negative else "")
