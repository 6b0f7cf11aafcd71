"""The doors to persona files: load one, load many, check any file."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from echosim.errors import Fault, InputError, PersonaError
from echosim.inputs import persona_file, strict_yaml
from echosim.inputs.persona_set import distinct, families, read_all, resolve, shipped, sort_key, yaml_files
from echosim.inputs.starter import persona_template
from echosim.persona_records import Persona

__all__ = [
    "FileReport",
    "check",
    "families",
    "load_persona",
    "load_personas",
    "persona_template",
    "shipped",
]

PathLike = Path | str


@dataclass(frozen=True, slots=True)
class FileReport:
    """The verdict on one file.

    Attributes:
        path: the file, or a folder that holds none.
        faults: what must be mended.
        warnings: what is allowed and weakens the measurement.
    """

    path: str
    faults: tuple[Fault, ...] = ()
    warnings: tuple[Fault, ...] = ()

    @property
    def ok(self) -> bool:
        """True where there is no fault."""
        return not self.faults


def load_persona(path: PathLike) -> Persona:
    """One persona; the holder of a mirror file is looked up in the same folder.

    Args:
        path: a file; or, where there is none, a shipped persona's id, or a shipped family for its holder.

    Raises:
        PersonaError: with every fault of the file.
        InputError: neither a file nor shipped.
    """
    if not (Path(path).exists() or Path(path).suffix):
        return _shipped_one(str(path))
    (file,) = read_all([Path(path)])
    if file.persona is None:
        raise PersonaError(faults=file.faults)
    return file.persona


def _shipped_one(name: str) -> Persona:
    found = load_personas(shipped())
    named = {one.family: one for one in found if one.role == "holder"} | {one.id: one for one in found}
    if name in named:
        return named[name]
    near = difflib.get_close_matches(name, named, n=3, cutoff=0.3) or sorted(named)[:3]
    raise InputError(
        f"{name}: no such file, and no shipped persona is named so; near are {', '.join(near)}; "
        "`echosim list persona` names all"
    )


def load_personas(paths: PathLike | Iterable[PathLike]) -> tuple[Persona, ...]:
    """All personas of a folder (with its subfolders), a file, or several of them.

    Returns:
        Personas by family, then holder, mirror, control, then id.

    Raises:
        PersonaError: with every fault of every file; nothing is skipped.
    """
    named = [paths] if isinstance(paths, Path | str) else list(paths)
    found: list[Path] = []
    faults: list[Fault] = []
    for path in named:
        files, missing = yaml_files(Path(path))
        found += files
        faults += missing
    read = read_all(found)
    faults += [fault for file in read for fault in file.faults]
    if faults:
        raise PersonaError(faults=faults)
    return tuple(sorted((file.persona for file in read if file.persona), key=sort_key))


def check(paths: Sequence[PathLike]) -> list[FileReport]:
    """Verdicts on persona and study files, one a file, in the order found.

    A file with a top-level field `targets` is a study, everything else a persona. A study's report
    holds the faults of its personas too, unless they are checked here themselves.
    """
    from echosim.inputs import study  # it loads personas, too

    reports: list[FileReport] = []
    named: list[Path] = []
    for path in paths:
        files, missing = yaml_files(Path(path))
        reports += [FileReport(fault.path, (fault,)) for fault in missing]
        named += files
    found = {path: strict_yaml.read(path) for path in distinct(named)}
    personas = resolve(
        [
            persona_file.from_document(path, document)
            for path, document in found.items()
            if not persona_file.is_study(document)
        ]
    )
    by_path = {file.path: file for file in personas}
    told = {os.path.realpath(path) for path in by_path}
    for path, document in found.items():
        if file := by_path.get(path):
            reports.append(FileReport(str(path), file.faults, persona_file.warnings(file)))
            continue
        _, faults = study.from_document(path, document)
        own = tuple(fault for fault in faults if os.path.realpath(fault.path) not in told)
        reports.append(FileReport(str(path), own))
    return reports
