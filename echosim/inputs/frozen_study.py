"""A study as it lies in a run folder: resolved, with personas inline, exact to the last digit.

The text is JSON under a comment, and so YAML too; only names of environment variables are in it.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import ValidationError

from echosim.errors import StorageError
from echosim.study_records import Study

FORMAT = 1
_HEADER = (
    "# The study of this run, resolved. Written by echosim; resuming compares it, so leave it as it is.\n"
)


def dump(study: Study) -> str:
    """The study as text; `load_resolved` gives back an equal one."""
    values = study.model_dump(mode="json")
    return _HEADER + json.dumps(values, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def is_resolved(text: str) -> bool:
    """True for what `dump` wrote, by its first line."""
    return text.startswith(_HEADER)


def load_resolved(text: str, name: str = "study.yaml") -> Study:
    """The study of a run folder.

    Args:
        text: what `dump` wrote.
        name: of the file, for messages.

    Raises:
        StorageError: the text is damaged, foreign, or of a newer format.
    """
    body = "\n".join("" if line.startswith("#") else line for line in text.split("\n"))
    try:
        values = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise StorageError(f"{name}: not a study as echosim writes it into a run ({error})") from error
    found = values.get("format") if isinstance(values, dict) else None
    if isinstance(found, int) and found > FORMAT:
        raise StorageError(f"{name}: format {found} is newer than this version ({FORMAT}); update echosim")
    try:
        return Study.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        raise StorageError(f"{name}: damaged or changed by hand: {where}: {first['msg']}") from error


def changed_fields(old: Study, new: Study) -> list[str]:
    """Dotted names of the fields that differ, in study order; `personas` by id, `targets` by label.

    A persona or target that only one of the two has is named without fields.
    """
    return _differences("", _by_name(old), _by_name(new))


def _by_name(study: Study) -> dict[str, Any]:
    values: dict[str, Any] = study.model_dump(mode="json")
    values["personas"] = {persona["id"]: persona for persona in values["personas"]}
    values["targets"] = {target["label"]: target for target in values["targets"]}
    return values


def _differences(name: str, old: Any, new: Any) -> list[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        keys = dict.fromkeys([*old, *new])
        return [
            found
            for key in keys
            for found in _differences(f"{name}.{key}" if name else key, old.get(key), new.get(key))
        ]
    return [] if old == new else [name]
