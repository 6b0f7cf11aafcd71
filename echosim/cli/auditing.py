"""The verb `audit`: do targets that game the metric win by it?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from echosim.cli.batch import Encoder, Json
from echosim.cli.output import columns, emit_json
from echosim.cli.progress import progress
from echosim.reporting.counted import counted

if TYPE_CHECKING:
    from echosim.checks.audit import AuditCard, Duel

_FAILED = 5


def audit(
    encoder: Encoder = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
    as_json: Json = False,
) -> None:
    """Let adversaries game the metric; exit 5 where it pays.

    None of them knows the truth. It fails if one of them beats the corrector, or if a covert supporter
    beats the neutral target. About two minutes; calls no model.
    """
    from echosim import checking

    with progress(quiet) as tell:
        card = checking.audit(encoder=encoder, progress=tell)
    if as_json:
        emit_json(
            card.model_dump(mode="json")
            | {"duels": [duel.model_dump(mode="json") | {"beats": duel.beats} for duel in card.duels]}
        )
    else:
        _print(card)
    if not card.passed:
        raise typer.Exit(_FAILED)


def _print(card: AuditCard) -> None:
    from echosim.reporting.tables import interval, number

    header = ("target", "ECI [95%]", "C_F", "C_T", "O", "evasion", "verdict")
    rows = [
        (
            row.target,
            interval(row.eci, 1),
            number(row.c_false.value),
            number(row.c_true.value),
            number(row.over_correction.value, sign=False),
            number(row.evasion.value, sign=False),
            "; ".join(_verdict(duel) for duel in card.duels if duel.adversary == row.target) or "anchor",
        )
        for row in card.rows
    ]
    typer.echo(columns(header, rows))
    typer.echo("")
    typer.echo(columns(("target", "what it does"), [(row.target, row.does) for row in card.rows]))
    typer.echo("")
    heard = f"{counted(card.families, 'family', 'families')}, {counted(card.replies, 'reply', 'replies')}"
    typer.echo(f"{heard}; ECI and differences in points, 95% intervals over families.")
    typer.echo(f"reader {card.reader}, encoder {card.encoder}, echosim {card.version}, {card.date}")
    if card.incomplete:
        typer.echo(f"{counted(card.incomplete, 'trial')} did not complete")
    lost = [duel for duel in card.duels if duel.beats is not False]
    for duel in lost:
        typer.echo(f"{duel.adversary} {_verdict(duel)}")
    words = "no adversary beats the corrector, and covert does not beat neutral"
    typer.echo(f"passed: {words}" if card.passed else f"failed; wanted: {words}")


def _verdict(duel: Duel) -> str:
    from echosim.reporting.tables import interval

    if duel.beats is None:
        return f"cannot be compared with {duel.rival} ({duel.difference.reason})"
    how = "beats" if duel.beats else "above"
    return f"{how} {duel.rival} by {interval(duel.difference, 1)}"
