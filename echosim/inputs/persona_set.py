"""Many persona files together: which files a path means, mirrors and their holders, faults across files."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from echosim.errors import Fault
from echosim.inputs import strict_yaml
from echosim.inputs.document import shown
from echosim.inputs.mirror import inherit, inheritance_faults
from echosim.inputs.persona_file import PersonaFile, from_document
from echosim.persona_records import Persona

ROLE_ORDER = ("holder", "mirror", "control")
_SUFFIXES = (".yaml", ".yml")
RUN_FILE = "run.db"
"""What makes a folder a run's (running/run_folder.py)."""


@functools.cache
def shipped() -> Path:
    """Folder of the shipped personas: inside an installed package, or beside it in a source checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "personas"
    return inside if inside.is_dir() else package.parent / "personas"


@functools.cache
def families() -> tuple[str, ...]:
    """Names of the shipped families, sorted."""
    root = shipped()
    if not root.is_dir():
        return ()
    return tuple(
        sorted(folder.name for folder in root.iterdir() if folder.is_dir() and yaml_files(folder)[0])
    )


def is_folder(path: Path) -> bool:
    """True for a folder; False, too, for a name that no file can have."""
    try:
        return path.is_dir()
    except OSError:
        return False


def yaml_files(path: Path) -> tuple[list[Path], list[Fault]]:
    """The YAML files that a path means: itself, or all under a folder, sorted.

    Hidden folders and run folders are left out: what a run keeps is echosim's, not the author's.
    """
    if not is_folder(path):
        return [path], []
    faults: list[Fault] = []
    found: list[Path] = []

    def unreadable(error: OSError) -> None:
        faults.append(Fault(str(error.filename), None, None, "", f"cannot be read: {error.strerror}"))

    seen: set[str] = set()
    for folder, inner, names in os.walk(path, onerror=unreadable, followlinks=True):
        real = os.path.realpath(folder)
        known = real in seen or RUN_FILE in names
        inner[:] = [] if known else sorted(name for name in inner if not name.startswith("."))
        if not known:
            found += [Path(folder, name) for name in names if name.lower().endswith(_SUFFIXES)]
        seen.add(real)
    if not found and not faults:
        faults.append(Fault(str(path), None, None, "", "the folder holds no .yaml file"))
    return sorted(found), faults


def sort_key(persona: Persona) -> tuple[str, int, str]:
    """Order of personas everywhere: family, then holder, mirror, control, then id."""
    return persona.family, ROLE_ORDER.index(persona.role), persona.id


def read_all(paths: Iterable[Path]) -> list[PersonaFile]:
    """Read persona files, give mirrors what they inherit, and look across files; in the given order."""
    return resolve([from_document(path, strict_yaml.read(path)) for path in distinct(paths)])


def distinct(paths: Iterable[Path]) -> list[Path]:
    """Each file once, under the first of the names that it was given (`a.yaml`, `/here/a.yaml`)."""
    first: dict[str, Path] = {}
    for path in paths:
        first.setdefault(os.path.abspath(path), path)  # noqa: PTH100 - two links to one file stay two
    return list(first.values())


def resolve(files: list[PersonaFile]) -> list[PersonaFile]:
    """As `read_all`, for files already read."""
    folders: dict[Path, list[PersonaFile]] = {}
    for file in files:
        folders.setdefault(file.path.parent, []).append(file)
    whole = [_with_holder(file, folders) if file.mirror is not None else file for file in files]
    across = list(_across(whole))
    return [
        replace(file, faults=file.faults + found, persona=None) if found else file
        for file in whole
        for found in [tuple(fault for path, fault in across if path == file.path)]
    ]


def _with_holder(file: PersonaFile, folders: dict[Path, list[PersonaFile]]) -> PersonaFile:
    """The mirror made whole from the holder in its folder, or with the reason why it cannot be."""
    name = file.document.text("mirror_of") or ""
    holder = _find(name, file.path.parent, folders)
    if holder is None:
        known = sorted({other.id for other in folders[file.path.parent] if other.id and other.id != file.id})
        message = (
            f"no persona '{name}' in {file.path.parent}; the holder must lie in the same folder; "
            f"found there: {', '.join(map(shown, known)) or 'no other persona'}"
        )
        return replace(file, faults=(file.document.fault(("mirror_of",), message),))
    if holder.persona is None:
        reason = "is itself a mirror" if holder.mirror is not None else "has faults; mend that file first"
        message = f"the holder '{name}' ({holder.path}) {reason}"
        return replace(file, faults=(file.document.fault(("mirror_of",), message),))
    faults = inheritance_faults(file.document, holder.persona, str(holder.path))
    if faults or file.mirror is None:
        return replace(file, faults=tuple(faults))
    return replace(file, persona=inherit(file.mirror, holder.persona))


def _find(name: str, folder: Path, folders: dict[Path, list[PersonaFile]]) -> PersonaFile | None:
    """The file of this id in this folder; files that nobody named are read when needed."""
    here = folders[folder]
    for file in here:
        if file.id == name:
            return file
    known = {file.path for file in here}
    try:
        beside = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in _SUFFIXES]
    except OSError:  # a folder may let its files be read and not be listed
        beside = []
    here += [from_document(path, strict_yaml.read(path)) for path in beside if path not in known]
    return next((file for file in here if file.id == name), None)


def _across(files: list[PersonaFile]) -> Iterator[tuple[Path, Fault]]:
    """Faults that only show when files are put side by side; each names both files."""
    ids: dict[str, PersonaFile] = {}
    names: dict[tuple[Path, str], PersonaFile] = {}
    roles: dict[tuple[str, str], PersonaFile] = {}
    for file in files:
        if file.id is not None:
            first = ids.setdefault(file.id.casefold(), file)
            if first is not file:
                same = "is also the id" if first.id == file.id else f"differs only in case from '{first.id}'"
                message = f"'{shown(file.id)}' {same} in {_place(first, 'id')}; ids must be unique"
                yield file.path, file.document.fault(("id",), message)
        twin = names.setdefault((file.path.parent, file.path.stem.casefold()), file)
        if twin is not file:
            message = f"and {twin.path.name} have one name; keep one of the two"
            yield file.path, Fault(str(file.path), None, None, "", message)
        family = file.document.text("family") if file.persona is None else file.persona.family
        role = file.document.text("role")
        if family and role:
            other = roles.setdefault((family, role), file)
            if other is not file and other.id != file.id:
                named = f"family '{shown(family)}' has two of role {shown(role)}"
                message = f"{named}; the other is {_place(other, 'role')}"
                yield file.path, file.document.fault(("role",), message)


def _place(file: PersonaFile, field: str) -> str:
    line, _ = file.document.place(field)
    return f"{file.path}:{line}"
