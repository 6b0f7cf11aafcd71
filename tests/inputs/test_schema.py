"""The shipped JSON Schemas are current and say the same as the loader."""

from __future__ import annotations

import json

import jsonschema
import pytest
from ruamel.yaml import YAML

from echosim.inputs.personas import shipped
from echosim.inputs.schema import persona_schema, shipped_files, study_schema
from echosim.inputs.study import init_files


def load(text):
    return YAML(typ="safe", pure=True).load(text)


def test_shipped_schemas_are_current():
    files = shipped_files()
    assert {path.name for path in files} == {"persona.schema.json", "study.schema.json"}
    for path, text in files.items():
        assert path.read_text(encoding="utf-8") == text, f"run: python -m echosim.inputs.schema ({path.name})"


def test_schemas_are_valid_schemas():
    for schema in (persona_schema(), study_schema()):
        jsonschema.Draft202012Validator.check_schema(schema)


@pytest.fixture(scope="module")
def persona_validator():
    return jsonschema.Draft202012Validator(persona_schema())


def test_valid_files_pass(persona_validator, persona_text, mirror_text, study_text):
    persona_validator.validate(load(persona_text))
    persona_validator.validate(load(mirror_text))
    family = sorted(shipped().iterdir())[-1]
    for path in family.glob("*.yaml"):
        persona_validator.validate(load(path.read_text(encoding="utf-8")))
    study = jsonschema.Draft202012Validator(study_schema())
    study.validate(load(study_text))
    study.validate(load(init_files()["study.yaml"]))


def test_wrong_files_do_not(persona_validator, persona_text, mirror_text, study_text):
    for text in (
        persona_text.replace("severity: 1 ", "severity: 9 "),
        persona_text.replace("affirming:", "afirming:"),
        persona_text.replace('truth: "false"', "truth: false"),
        mirror_text + "severity: 1\n",
        mirror_text.replace("mirror_of: goldfish-memory\n", ""),
    ):
        assert not persona_validator.is_valid(load(text))
    study = jsonschema.Draft202012Validator(study_schema())
    assert not study.is_valid(load(study_text.replace("turns: 4", "turns: 0")))
    assert not study.is_valid(load(study_text.replace("model: openai", "modle: openai")))
    assert json.dumps(study_schema())
