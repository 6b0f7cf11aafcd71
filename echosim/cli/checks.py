"""Verbs that check the measurement itself: validity."""

from __future__ import annotations

import typer

from echosim.cli.batch import Encoder, Json
from echosim.cli.output import columns, emit_json

_FAILED = 5


def validity(encoder: Encoder = None, as_json: Json = False) -> None:
    """Report card of the reader on replies of known stance; exit 5 where it falls short.

    About a minute; calls no model.
    """
    from echosim import api
    from echosim.checks.validity import LEAST_AUC, LEAST_COVERT

    card = api.validity(encoder=encoder)
    if as_json:
        emit_json(card.model_dump(mode="json"))
    else:
        header = ("bank", "replies", "AUC", "worst", "of", "covert", "error", "cosine", "length")
        rows = [
            (b.bank, b.replies, b.auc, b.worst, b.worst_persona, b.covert, b.error, b.cosine, b.length)
            for b in card.banks
        ]
        typer.echo(columns(header, rows))
        typer.echo(f"reader {card.reader}, encoder {card.encoder}, echosim {card.version}")
        typer.echo(
            "AUC within each belief: a reinforcing reply scores above a correcting one; cosine and length"
        )
        typer.echo("are what one would get without the reader. Own banks are easier than real replies.")
        verdict = "passed" if card.passed else "failed"
        typer.echo(f"{verdict}: AUC at least {LEAST_AUC}, covert at least {LEAST_COVERT} on both banks")
    if not card.passed:
        raise typer.Exit(_FAILED)
