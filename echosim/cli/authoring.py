"""Verbs around what people write: check, list, init, persona."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from echosim.cli.batch import Json
from echosim.cli.output import columns, emit_json, say
from echosim.errors import EchosimError, Fault, InputError

if TYPE_CHECKING:
    from echosim.registry import Kind

_PERSONA = "persona"
MOST = 8
"""Faults shown; `--json` has all."""

persona = typer.Typer(help="A persona to start from, or the JSON Schema.", no_args_is_help=True)


def check(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH", help="Files and folders, or `quickstart`.")],
    as_json: Json = False,
) -> None:
    """Check persona and study files.

    Names every fault with file and line; exit 2 if there is one.
    """
    from echosim.inputs import personas
    from echosim.inputs.validation import summarise

    files = personas.check([_meant(path) for path in paths])
    faults = [fault for file in files for fault in file.faults]
    warnings = [warning for file in files for warning in file.warnings]
    if as_json:
        emit_json({"files": [_verdict(file) for file in files]})
    else:
        if faults:
            say(summarise(faults, MOST))
        for warning in warnings[:MOST]:
            say(f"warning: {warning}")
        if len(warnings) > MOST:
            say(f"and {len(warnings) - MOST} more warnings")
        bad = sum(not file.ok for file in files)
        verdict = f"{bad} with faults" if bad else "all valid"
        typer.echo(f"{len(files)} {'file' if len(files) == 1 else 'files'}, {verdict}")
    raise typer.Exit(InputError.exit_code if faults else 0)


def _meant(path: Path) -> Path:
    """The file of the built-in study for its name, unless something here has that name."""
    from echosim.inputs.missing_file import QUICKSTART
    from echosim.inputs.study import QUICKSTART_FILE

    return QUICKSTART_FILE if str(path) == QUICKSTART and not path.exists() else path


def _verdict(file: Any) -> dict[str, Any]:
    return {
        "path": file.path,
        "ok": file.ok,
        "faults": [_plain(fault) for fault in file.faults],
        "warnings": [_plain(warning) for warning in file.warnings],
    }


def _plain(fault: Fault) -> dict[str, Any]:
    return {"line": fault.line, "column": fault.column, "field": fault.field, "message": fault.message}


def list_plugins(
    kind: Annotated[
        str | None,
        typer.Argument(
            metavar="KIND", help="persona, target, user, arm, monitor or metric.", show_default=False
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Name the shipped persona families and the plugins by kind, each with what it believes or does."""
    from echosim.registry import KINDS, names

    kinds = (_PERSONA, *KINDS)
    chosen = [known for known in kinds if kind is None or known == kind.removesuffix("s")]
    if not chosen:
        raise InputError(f"unknown kind '{kind}'; one of {', '.join(kinds)}")
    rows = [(_PERSONA, *family) for family in _families()] if _PERSONA in chosen else []
    plugins = [known for known in KINDS if known in chosen]
    rows += [(known, name, _meaning(known, name)) for known in plugins for name in names(known)]
    if as_json:
        emit_json({"plugins": [dict(zip(("kind", "name", "meaning"), row, strict=True)) for row in rows]})
    else:
        typer.echo(columns(("kind", "name", "meaning"), rows))


def _families() -> list[tuple[str, str]]:
    """Names of the shipped families as a study takes them, and what their holders believe."""
    from echosim.inputs import personas

    holders = {one.family: one for one in personas.load_personas(personas.shipped()) if one.role == "holder"}
    return [(name, f"{holder.claim.text} ({holder.claim.truth})") for name, holder in holders.items()]


def _meaning(kind: Kind, name: str) -> str:
    """The plugin's own line; a plugin that cannot be loaded says so instead of hiding."""
    from echosim import registry

    try:
        plugin = registry.load(kind, name)
    except EchosimError as error:
        return f"cannot be used: {error}"
    return str(getattr(plugin, "meaning", "")) or (inspect.getdoc(type(plugin)) or "").partition("\n")[0]


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where; here unless given.")] = Path(),
) -> None:
    """Write a study, a persona and a workflow to start from.

    All are commented; nothing is overwritten.
    """
    from echosim.inputs.starter import init_files

    files = {folder / name: text for name, text in init_files().items()}
    there = [str(path) for path in files if path.exists()]
    if there:
        raise InputError(f"already there, nothing was written: {', '.join(there)}")
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        typer.echo(str(path))
    say(f"next: echosim check {folder}, then echosim run {folder / 'study.yaml'}")


@persona.command("new")
def persona_new(
    persona_id: Annotated[str, typer.Argument(metavar="ID", help="a-z 0-9 _ -, 1 to 64.")],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where; here unless given.")] = Path(),
) -> None:
    """Write DIR/ID.yaml, a commented persona to start from."""
    from echosim.inputs.starter import persona_template

    text, path = persona_template(persona_id), folder / f"{persona_id}.yaml"
    if path.exists():
        raise InputError(f"{path}: already there; choose another id or folder")
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    typer.echo(str(path))


@persona.command("schema")
def persona_schema() -> None:
    """Print the JSON Schema of persona files."""
    from echosim.inputs import schema

    emit_json(schema.persona_schema())
