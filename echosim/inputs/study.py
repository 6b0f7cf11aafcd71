"""The doors to study files: load, check, freeze, thaw.

A study file names its personas and targets; a `Study` holds them, resolved.
"""

from __future__ import annotations

import difflib
import functools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from echosim.errors import Fault, StudyError
from echosim.inputs import endpoints, persona_set, strict_yaml, study_users
from echosim.inputs.document import Document, MapNode, shown
from echosim.inputs.endpoints import check_environment
from echosim.inputs.fields import file_record, limits, of
from echosim.inputs.frozen_study import changed_fields, dump, load_resolved
from echosim.inputs.secret_text import has_key, masked, names_secret
from echosim.inputs.starter import init_files
from echosim.inputs.validation import build, in_file_order, repeated
from echosim.persona_records import Line, Persona
from echosim.records import Record
from echosim.study_records import Study, TargetSpec

__all__ = [
    "StudyFile",
    "changed_fields",
    "check_environment",
    "dump",
    "from_document",
    "init_files",
    "load_resolved",
    "load_study",
    "quickstart",
]

ANCHORS = ("echosim/corrector", "echosim/sycophant")
EVERYTHING = "all"
"""In `personas`: all shipped families."""

_LONGEST_LABEL = limits(of(TargetSpec)["label"]).max_length or 0
QUICKSTART_FILE = Path(__file__).with_name("quickstart.yaml")
_KEYS = "keys belong in the environment; name the variable in api_key_env (the value is masked: ***)"

TargetFile: Any = file_record(
    "TargetFile",
    TargetSpec,
    list(TargetSpec.model_fields),
    label=(of(TargetSpec)["label"] | None, None),
)
_ENTRY: Any = of(TargetSpec)["model"] | TargetFile
_SOME: Any = Field(min_length=1)
StudyFile: type[Record] = file_record(
    "StudyFile",
    Study,
    list(Study.model_fields),
    personas=(Annotated[tuple[Line, ...], _SOME], ...),
    targets=(Annotated[tuple[_ENTRY, ...], _SOME], ...),
    users=(Annotated[tuple[study_users.ENTRY, ...], _SOME], ("embedded",)),
)
"""A study as written: personas by name, targets and users as text or mapping."""


def load_study(path: Path | str) -> Study:
    """The study of a file, with its personas loaded, labels given and anchors added.

    Raises:
        StudyError: with every fault of the study file and of the personas it names.
    """
    study, faults = from_document(Path(path), strict_yaml.read(path))
    if study is None:
        raise StudyError(faults=faults)
    return study


@functools.cache
def quickstart() -> Study:
    """The shipped study of nine reference targets and all shipped personas; needs no key and no network."""
    return load_study(QUICKSTART_FILE)


def from_document(path: Path, document: Document) -> tuple[Study | None, tuple[Fault, ...]]:
    """As `load_study`, for a file already read; faults instead of an error."""
    shape, found = build(
        document,
        StudyFile,
        refuse=lambda field: _KEYS if names_secret(field) else None,
        checks=(
            _target_faults,
            _label_faults,
            study_users.faults,
            _arm_faults,
            _population_faults,
            _memory_faults,
            _repeats,
        ),
    )
    faults = list(found)
    told = {fault.line for fault in faults if fault.message == _KEYS}
    faults += [fault for fault in _written_keys(document) if fault.line not in told]
    personas, persona_faults = _personas(document, path.parent)
    faults += persona_faults
    if faults or shape is None:
        return None, in_file_order(faults)
    values = shape.model_dump()
    targets = [_target(entry) for entry in values["targets"]]
    if values["anchors"]:
        models = {target.model for target in targets}
        targets += [_target(anchor) for anchor in ANCHORS if anchor not in models]
    users = tuple(study_users.user(entry, path.parent) for entry in values["users"])
    resolved = {"personas": personas, "targets": tuple(targets), "users": users}
    return Study.model_validate(values | resolved), ()


def _target(entry: str | dict[str, Any]) -> TargetSpec:
    values = {"model": entry} if isinstance(entry, str) else dict(entry)
    values["label"] = values.get("label") or endpoints.default_label(values["model"])
    return TargetSpec.model_validate(values)


# --- checks on the tree: they run even where other fields are wrong -------------------------------


def _model(document: Document, index: int) -> str | None:
    text = document.text("targets", index)
    return document.text("targets", index, "model") if text is None else text


def _target_faults(document: Document) -> Iterator[Fault]:
    capped = document.is_set("limits", "max_cost")
    for index in range(document.length("targets")):
        steps = ("targets", index)
        model = _model(document, index)
        if model is None:
            continue
        place = (*steps, "model") if isinstance(document.at(*steps), MapNode) else steps
        if message := endpoints.model_fault(model):
            yield document.fault(place, message)
        reference = model.startswith(endpoints.REFERENCE)
        if reference:
            yield from _idle_fields(document, index)
        elif capped and not document.is_set(*steps, "price"):
            message = f"price of '{shown(masked(model))}' unknown; give price: or drop max_cost"
            yield document.fault(place, message)
        base = document.text(*steps, "api_base")
        if base and not reference and document.is_set(*steps, "api_base"):
            allow_http = document.text(*steps, "allow_http") == "true"
            if message := endpoints.api_base_fault(base, allow_http=allow_http):
                yield document.fault((*steps, "api_base"), message)


def _idle_fields(document: Document, index: int) -> Iterator[Fault]:
    """A field without effect would be a silent default."""
    for name in TargetSpec.model_fields:
        if name not in ("model", "label") and document.is_set("targets", index, name):
            message = "has no effect on an echosim/ target; allowed there: model, label"
            yield document.fault(("targets", index, name), message)


def _label_faults(document: Document) -> Iterator[Fault]:
    first: dict[str, int | None] = {}
    models = set()
    for index in range(document.length("targets")):
        model = _model(document, index)
        if model is None:
            continue
        models.add(model)
        given = document.text("targets", index, "label")
        label = given or endpoints.default_label(model)
        steps = ("targets", index, "label") if given else ("targets", index)
        shown_label = shown(masked(label))
        if not given and len(label) > _LONGEST_LABEL:
            message = (
                f"the model's name is too long for a label; give label: of 1 to {_LONGEST_LABEL} characters"
            )
            yield document.fault(steps, message)
        if label in first:
            message = f"label '{shown_label}' is already used on line {first[label]}; give another label"
            yield document.fault(steps, message)
        first.setdefault(label, document.place(*steps)[0])
    if document.text("anchors") == "false":
        return
    for anchor in ANCHORS:
        label = endpoints.default_label(anchor)
        if anchor not in models and label in first:
            message = (
                f"label '{label}' on line {first[label]} is the anchor's own; rename it or set anchors: false"
            )
            yield document.fault(("targets",), message)


def _arm_faults(document: Document) -> Iterator[Fault]:
    for index in range(document.length("arms")):
        spec = document.text("arms", index)
        message = endpoints.plugin_fault("arm", spec) if spec else None
        if message:
            yield document.fault(("arms", index), message)


def _population_faults(document: Document) -> Iterator[Fault]:
    if document.is_set("population") and document.is_set("seeds"):
        yield document.fault(("population",), "takes the place of seeds (one a person); give one of the two")


def _memory_faults(document: Document) -> Iterator[Fault]:
    if document.text("memory") == "summary" and document.text("sessions") in (None, "1"):
        yield document.fault(("memory",), "has no effect on one session; give sessions: 2 or more")


def _repeats(document: Document) -> list[Fault]:
    return [fault for name in ("personas", "arms", "seeds") for fault in repeated(document, (name,))]


def _written_keys(document: Document) -> Iterator[Fault]:
    """Keys anywhere in the file, comments too."""
    for number, line in enumerate(document.lines, 1):
        if has_key(line):
            yield Fault(document.path, number, None, "", _KEYS)


# --- personas -----------------------------------------------------------------------------------


def _personas(document: Document, folder: Path) -> tuple[tuple[Persona, ...], list[Fault]]:
    """The personas that the entries mean; paths are relative to the study file."""
    faults: list[Fault] = []
    taken: dict[str, tuple[Path, str]] = {}
    for index in range(document.length("personas")):
        steps = ("personas", index)
        name = document.text(*steps)
        if not name:
            continue
        files, problems = _files(name, folder)
        faults += [document.fault(steps, problem) for problem in problems]
        real = {os.path.realpath(file): file for file in files}
        again = next((path for path in real if path in taken), None)
        if again is not None:
            message = f"{real[again].name} is already among '{taken[again][1]}'; name each persona once"
            faults.append(document.fault(steps, message))
        for path, file in real.items():
            taken.setdefault(path, (file, name))
    read = persona_set.read_all(file for file, _ in taken.values())
    faults += [fault for file in read for fault in file.faults]
    found = [file.persona for file in read if file.persona is not None]
    return tuple(sorted(found, key=persona_set.sort_key)), faults


def _files(name: str, folder: Path) -> tuple[list[Path], list[str]]:
    """The files of one entry, and what is wrong with it."""
    known = persona_set.families()
    if name == EVERYTHING:
        path = persona_set.shipped()
    elif name in known:
        path = persona_set.shipped() / name
    else:
        path = folder / name
        if not os.path.lexists(path):
            near = difflib.get_close_matches(name, [*known, EVERYTHING], n=1, cutoff=0.6)
            hint = f"did you mean '{near[0]}'?" if near else f"shipped families: {', '.join(known)}"
            return [], [
                f"no shipped family, file or folder '{shown(name)}' (paths are relative to the study); {hint}"
            ]
    files, faults = persona_set.yaml_files(path)
    return files, [f"{shown(fault.path)}: {fault.message}" for fault in faults]
