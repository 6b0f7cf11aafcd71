"""How every analysis of a run is asked and answers: a run folder in, a figure and a table out."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from echosim import api
from echosim.errors import EchosimError, InputError
from echosim.held_run import Run
from echosim.persona_records import Persona
from echosim.records import Estimate
from echosim.reporting.figures.paper import png, svg
from echosim.reporting.tables import csv_cell
from echosim.reporting.web_page import replace

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Table = Sequence[Mapping[str, Any]]
"""Rows with the same columns; None where a number is missing."""
Answer = Callable[[Run], tuple["Figure", Table]]


def main(name: str, answer: Answer) -> None:
    """`python analyses/NAME.py RUN [OUT]`: answer for the run folder RUN and say which files hold it.

    Args:
        name: of the files.
        answer: the question.
    """
    if len(sys.argv) not in (2, 3):
        sys.exit(f"usage: python analyses/{name}.py RUN [OUT]")
    folder = Path(sys.argv[1])
    try:
        written = keep(
            name, answer(api.open_run(folder)), Path(sys.argv[-1]) if sys.argv[2:] else folder / "analyses"
        )
    except EchosimError as error:
        sys.exit(str(error))
    print(*written, sep="\n")


def keep(name: str, answer: tuple[Figure, Table], out: Path) -> list[Path]:
    """Write NAME.svg, NAME.png and NAME.csv into `out`; the same answer gives the same bytes."""
    figure, rows = answer
    out.mkdir(parents=True, exist_ok=True, mode=0o700)
    paths = [out / f"{name}.{form}" for form in ("svg", "png", "csv")]
    replace(paths[0], [svg(figure)])
    replace(paths[1], [png(figure)])
    with paths[2].open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows({key: csv_cell(value) for key, value in row.items()} for row in rows)
    return paths


def personas(run: Run) -> dict[str, Persona]:
    """Who speaks in a run, by id."""
    return {persona.id: persona for persona in run.study.personas}


def columns(name: str, estimate: Estimate) -> dict[str, float | int | None]:
    """An estimate as columns of a table."""
    return {
        name: estimate.value,
        f"{name}_low": estimate.low,
        f"{name}_high": estimate.high,
        "families": estimate.n,
    }


def nothing(run: Run, needs: str) -> InputError:
    """What to raise where a run cannot answer."""
    return InputError(f"{run.path}: {needs}")
