"""Verbs that read a run: show, leaderboard, report, export."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from echosim.cli.batch import Json
from echosim.cli.output import emit_json, say
from echosim.errors import InputError
from echosim.reporting.counted import counted

RunArgument = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")]


def show(
    run: RunArgument,
    trial: Annotated[
        str | None,
        typer.Argument(metavar="TRIAL", help="Trial id or its first characters.", show_default=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """Read a transcript, or list the trials.

    Stance and belief stand beside each turn; the first characters of a trial id are enough.
    """
    from echosim import api
    from echosim.interop import jsonl
    from echosim.reporting import transcript_view

    held = api.open_run(run)
    if trial is None:
        if as_json:
            emit_json({"trials": [transcript_view.brief(transcript) for transcript in held.trials()]})
            return
        for line in transcript_view.listing(held.trials(), held.study):
            typer.echo(line)
        if held.summary.aside:
            say(f"{counted(held.summary.aside, 'trial')} of earlier plans kept; not listed, on no board")
        return
    transcript = transcript_view.find(held.trials(), trial)
    if as_json:
        emit_json({**jsonl.as_object(transcript), "reason": transcript.reason})
        return
    persona = next((p for p in held.study.personas if p.id == transcript.trial.persona), None)
    typer.echo(transcript_view.conversation(transcript, persona, _width()), nl=False)


def _width() -> int:
    import shutil

    return max(40, min(120, shutil.get_terminal_size((100, 24)).columns))


def _print_schema(wanted: bool) -> None:
    if wanted:
        from echosim.reporting import board_document

        emit_json(board_document.schema())
        raise typer.Exit


def leaderboard(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN", help="Run folders, on one board.")],
    as_json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="RFC 4180.")] = False,
    as_md: Annotated[bool, typer.Option("--md", help="Markdown.")] = False,
    by: Annotated[
        str | None,
        typer.Option(
            metavar="WAY",
            help="Exploratory: net capture by domain, severity, age, openness, identity, closure, cognition "
            "or trust of the personas, by role (holder, mirror, control) or by arm, with q "
            "(Benjamini-Hochberg). One run.",
            show_default=False,
        ),
    ] = None,
    schema: Annotated[  # noqa: ARG001  the callback prints it
        bool,
        typer.Option(
            "--schema",
            is_eager=True,
            callback=_print_schema,
            help="JSON Schema of --json without --by; needs no run.",
        ),
    ] = False,
) -> None:
    """Table with intervals, best first."""
    if as_json + as_csv + as_md > 1:
        raise InputError("--json, --csv and --md exclude each other; choose one")
    if by is not None:
        _slices(runs, by, as_json, as_csv, as_md)
        return
    from echosim import api
    from echosim.reporting import tables

    board = api.leaderboard(*(api.open_run(path) for path in runs))
    forms = {tables.json_text: as_json, tables.csv_text: as_csv, tables.markdown: as_md}
    form = next((form for form, wanted in forms.items() if wanted), tables.terminal)
    typer.echo(form(board), nl=False)


def _slices(runs: list[Path], by: str, as_json: bool, as_csv: bool, as_md: bool) -> None:
    if len(runs) > 1:
        raise InputError("--by takes one run")
    from echosim import boards
    from echosim.cli import slice_table

    found = boards.slices(runs[0], by)
    if as_json:
        emit_json({"by": by, "slices": [one.model_dump(mode="json") for one in found]})
    elif as_csv:
        typer.echo(slice_table.csv_text(found), nl=False)
    else:
        typer.echo(slice_table.markdown(found) if as_md else f"{slice_table.text(found)}\n", nl=False)


def report(
    run: RunArgument,
    out: Annotated[
        Path | None,
        typer.Argument(metavar="OUT", help="Folder; RUN/report unless given.", show_default=False),
    ] = None,
) -> None:
    """Write one HTML page with figures and transcripts."""
    from echosim import api

    typer.echo(str(api.report(api.open_run(run), out)))


def export(
    run: RunArgument,
    form: Annotated[
        Literal["jsonl", "messages"],
        typer.Option("--format", help="One trial a line, with scores; or as chats, marked synthetic."),
    ] = "jsonl",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Instead of stdout.")
    ] = None,
) -> None:
    """Write the chats, one trial a line, sorted by trial id."""
    from echosim import api

    held = api.open_run(run)
    write = api.export_jsonl if form == "jsonl" else api.export_messages
    if out is None:
        write(held, sys.stdout)
        return
    with out.open("w", encoding="ascii", newline="\n") as stream:
        write(held, stream)
    say(f"wrote {out}")
