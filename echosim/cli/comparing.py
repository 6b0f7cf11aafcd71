"""Verbs that set two runs of one panel side by side: compare, gate."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from echosim.cli.batch import Json
from echosim.cli.output import columns, emit_json, say
from echosim.errors import InputError
from echosim.reporting.counted import counted

if TYPE_CHECKING:
    from echosim.scoring.paired import PairedCell

_FAILED = 5


def compare(
    run_a: Annotated[Path, typer.Argument(metavar="RUN_A", help="A run folder.")],
    run_b: Annotated[Path, typer.Argument(metavar="RUN_B", help="Another, of the same panel.")],
    margin: Annotated[
        float | None,
        typer.Option(
            "--margin", metavar="X", help="Also: is B no worse by more than X ECI?", show_default=False
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Does the second run capture more than the first?

    The same personas, seeds, turns, users and reader with two models, or two versions of one. Each cell of A
    with that of the same name in B; where each has one besides anchors, those two. Paired by persona and
    seed, 95% intervals over families, p by sign flips (Holm over cells).
    """
    from echosim import api

    cells = api.compare(run_a, run_b, margin)
    if as_json:
        emit_json({"margin": margin, "cells": [_plain(cell) for cell in cells]})
        return
    _print(cells, margin, ("A", "B"))


def gate(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")],
    baseline: Annotated[
        Path | None,
        typer.Option(
            "--baseline",
            metavar="RUN_OR_FILE",
            help="An earlier run, or its stored baseline.",
            show_default=False,
        ),
    ] = None,
    margin: Annotated[
        float | None,
        typer.Option(
            "--margin",
            metavar="X",
            help="Fail on any rise above X ECI, too, sure or not.",
            show_default=False,
        ),
    ] = None,
    write: Annotated[
        Path | None,
        typer.Option("--write", metavar="FILE", help="Store RUN as a baseline instead.", show_default=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """Exit 5 where capture has risen since the baseline.

    That is where one-sided p is under 5% (paired, sign flips over families, Holm over cells). Exit 2 where
    the panel is another one or too small to show a rise.
    """
    from echosim import api

    if write is not None and baseline is None:
        if margin is not None or as_json:
            raise InputError("--write stores a baseline and compares nothing; leave out --margin and --json")
        api.write_baseline(run, write)
        say(f"wrote {write}")
        return
    if baseline is None or write is not None:
        raise InputError("give one of --baseline RUN_OR_FILE, to compare, and --write FILE, to store")
    verdict = api.gate(run, baseline, margin)
    if as_json:
        cells = [_plain(cell) for cell in verdict.cells]
        document = {"margin": margin, "passed": verdict.passed, "risen": list(verdict.risen), "cells": cells}
        emit_json(document)
    else:
        _print(verdict.cells, margin, ("baseline", "run"))
        for why in verdict.risen:
            typer.echo(columns((f"failed: {why}",), ()))
        if verdict.passed:
            typer.echo("passed: no rise of capture shown")
    if not verdict.passed:
        raise typer.Exit(_FAILED)


def _plain(cell: PairedCell) -> dict[str, Any]:
    return cell.model_dump(mode="json") | {"separable": cell.separable, "surely": cell.surely}


def _print(cells: Sequence[PairedCell], margin: float | None, names: tuple[str, str]) -> None:
    from echosim.reporting.tables import interval
    from echosim.scoring.comparisons import FEWEST_FAMILIES

    one, two = names
    header = [
        one,
        two,
        f"ECI {one}",
        f"ECI {two}",
        f"{two} - {one} [95%]",
        "p",
        "families",
        "pairs",
        "verdict",
    ]
    rows = [
        [
            cell.first,
            cell.second,
            interval(cell.eci_first, 1),
            interval(cell.eci_second, 1),
            interval(cell.difference, 1),
            _chance(cell.p_holm),
            cell.difference.n,
            cell.pairs,
            _verdict(cell, two),
        ]
        for cell in cells
    ]
    if margin is not None:
        header.append(f"no worse by more than {margin:g}")
        for row, cell in zip(rows, cells, strict=True):
            row.append(_no_worse(cell))
    typer.echo(columns(header, rows))
    typer.echo(
        f"ECI in points; above 0, {two} captures more. p two-sided, Holm over {counted(len(cells), 'cell')}."
    )
    if not all(cell.separable for cell in cells):
        typer.echo(f"Not separable: that needs {FEWEST_FAMILIES} families with holder and control scored.")
    for cell in cells:
        if max(cell.lost_first, cell.lost_second) > 0:
            lost = f"{cell.lost_first:.0%} of {one}, {cell.lost_second:.0%} of {two}"
            typer.echo(columns((f"{cell.second}: conversations without a score: {lost}.",), ()))


def _verdict(cell: PairedCell, name: str) -> str:
    if cell.difference.value is None:
        return cell.difference.reason or "not compared"
    if not cell.separable:
        return "not separable"
    return {1: f"{name} captures more", -1: f"{name} captures less", 0: "no difference shown"}[cell.surely]


def _no_worse(cell: PairedCell) -> str:
    from echosim.scoring.comparisons import ALPHA

    if cell.no_worse is None:
        return "-"
    if not cell.separable:
        return f"not separable, p {_chance(cell.no_worse)}"
    return f"{'shown' if cell.no_worse < ALPHA else 'not shown'}, p {_chance(cell.no_worse)}"


def _chance(p: float | None) -> str:
    if p is None:
        return "-"
    return "<.001" if p < 0.001 else f"{p:.3f}".removeprefix("0")
