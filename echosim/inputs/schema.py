"""JSON Schema of the two YAML formats, generated from the records; shipped beside this file for editors.

`python -m echosim.inputs.schema` writes the shipped files anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from echosim.inputs.mirror import MirrorFile
from echosim.inputs.study import StudyFile
from echosim.persona_records import Persona
from echosim.records import Record

FOLDER = Path(__file__).parent
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def persona_schema() -> dict[str, Any]:
    """Schema of a persona file: short for `role: mirror`, whole for the others."""
    is_mirror = {"properties": {"role": {"const": "mirror"}}, "required": ["role"]}
    whole, mirror = _schema(Persona), _schema(MirrorFile)
    definitions = whole.pop("$defs", {}) | mirror.pop("$defs", {})
    return {
        "$schema": _DIALECT,
        "title": "echosim persona, format 1",
        "type": "object",
        "if": is_mirror,
        "then": mirror,
        "else": whole,
        "$defs": definitions,
    }


def study_schema() -> dict[str, Any]:
    """Schema of a study file."""
    return {"$schema": _DIALECT} | _schema(StudyFile) | {"title": "echosim study, format 1"}


def _schema(record: type[Record]) -> dict[str, Any]:
    return record.model_json_schema()


def shipped_files() -> dict[Path, str]:
    """The text that each shipped schema file should have."""
    schemas = {"persona.schema.json": persona_schema(), "study.schema.json": study_schema()}
    return {
        FOLDER / name: json.dumps(schema, indent=1, ensure_ascii=False) + "\n"
        for name, schema in schemas.items()
    }


if __name__ == "__main__":
    for path, text in shipped_files().items():
        path.write_text(text, encoding="utf-8")
