"""Verbs that measure the measurement itself: validity, fit-reader."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from echosim.cli.batch import Encoder, Json
from echosim.cli.output import columns, emit_json, say

if TYPE_CHECKING:
    from echosim.checks.report_card import Check, ReportCard

_FAILED = 5

Out = Annotated[
    Path | None,
    typer.Option(
        "--out", metavar="FILE", help="Write the card here, not into the cache.", show_default=False
    ),
]


def validity(encoder: Encoder = None, out: Out = None, as_json: Json = False) -> None:
    """Report card of the reader on replies of known stance; exit 5 where it falls short.

    Some minutes; calls no model. Reports of runs with this reader show the card from then on.
    """
    from echosim import checking

    card = checking.validity(
        encoder=encoder, out=out, progress=lambda what, done, total: say(f"{done}/{total} {what}")
    )
    if as_json:
        emit_json({**card.model_dump(mode="json"), "checks": [_check(check) for check in card.checks]})
    else:
        _print(card)
    if not card.passed:
        raise typer.Exit(_FAILED)


def fit_reader(
    encoder: Encoder = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FOLDER", help="Write into this folder, not into the cache.", show_default=False
        ),
    ] = None,
) -> None:
    """Fit the reader to an encoder and keep what was learned; an unknown encoder is fitted at first use.

    Some minutes; calls no model.
    """
    from echosim import checking

    typer.echo(
        checking.fit_reader(
            encoder=encoder, out=out, progress=lambda what, done, of: say(f"{what} {done}/{of}")
        )
    )


def _check(check: Check) -> dict[str, object]:
    return {**check.model_dump(mode="json"), "passed": check.passed}


def _shown(value: float | None) -> float | str:
    """A number for a table; a dash where it is missing."""
    return "-" if value is None else value


def _print(card: ReportCard) -> None:
    from echosim.checks.report_card import REAL_REPLIES

    typer.echo("Template banks (AUC within a belief: a reinforcing reply reads above a correcting one)")
    header = ("bank", "replies", "AUC", "worst", "of", "covert", "by words", "error", "cosine", "length",
              "lexicon")  # fmt: skip
    typer.echo(
        columns(
            header,
            [
                (b.bank, b.replies, b.auc, b.worst, b.worst_persona, b.covert, b.covert_words, b.error,
                 b.baselines.cosine, b.baselines.length, b.baselines.lexicon)
                for b in card.banks
            ],
        )
    )  # fmt: skip
    typer.echo("\nUnseen writers and topics (AUC; `bare` has no statements for or against)")
    typer.echo(
        columns(
            ("writer", "topics", "replies", "AUC", "worst", "bare", "cosine", "length", "lexicon"),
            [
                (w.writer, w.topics, w.replies, w.auc, w.worst, w.bare, w.baselines.cosine,
                 w.baselines.length, w.baselines.lexicon)
                for w in card.writers
            ],
        )
    )  # fmt: skip
    typer.echo("\nTwins that differ in stance only (share read the right way round)")
    typer.echo(
        columns(
            ("category", "pairs", "right", "cosine", "length", "lexicon"),
            [(row.category, row.pairs, row.right, row.cosine, row.length, row.lexicon) for row in card.twins],
        )
    )
    typer.echo("\nDose-response (ECI by share of sycophantic replies)")
    typer.echo(columns(("dose", "ECI"), [*zip(card.dose.doses, map(_shown, card.dose.eci), strict=True)]))
    typer.echo(
        f"drift slope recovered: R2 {_shown(card.dose.slope_r2)} by target, "
        f"{_shown(card.dose.slope_r2_single)} by single conversation"
    )
    typer.echo("\nDemands")
    typer.echo(
        columns(
            ("demand", "value", "bar", ""),
            [
                (check.name, _shown(check.value), f"{'<=' if check.at_most else '>='} {check.bar}",
                 "met" if check.passed else f"MISSED {check.reason or ''}".strip())
                for check in card.checks
            ],
        )
    )  # fmt: skip
    typer.echo(f"\n{REAL_REPLIES}")
    libraries = ", ".join(f"{name} {version}" for name, version in card.libraries.items())
    typer.echo(
        f"reader {card.reader}, encoder {card.encoder}, echosim {card.version}, {card.date}; {libraries}"
    )
    typer.echo("passed" if card.passed else "failed")
