"""Texts to start from: a commented persona and the files of `echosim init`; all pass the check."""

from __future__ import annotations

import re
from pathlib import Path

from echosim.errors import InputError
from echosim.inputs.document import shown
from echosim.inputs.fields import ID_PATTERN
from echosim.inputs.persona_set import families

_FILES = Path(__file__).with_name("starter_files")


def persona_template(persona_id: str) -> str:
    """A commented persona file with this id.

    Raises:
        InputError: the id is not one.
    """
    family = persona_id.removesuffix("-holder")
    if not re.fullmatch(ID_PATTERN, persona_id) or not re.fullmatch(ID_PATTERN, family):
        raise InputError(f"persona id '{shown(persona_id)}': may hold a-z 0-9 _ - (1 to 64)")
    text = (_FILES / "persona.yaml").read_text(encoding="utf-8")
    return text.replace("NEW-ID", persona_id).replace("NEW-FAMILY", family)


def init_files() -> dict[str, str]:
    """Files of a new folder, by relative path: a study, a persona, a workflow."""
    study = (_FILES / "study.yaml").read_text(encoding="utf-8")
    some = ", ".join(families()[:2]) or "all"
    return {
        "study.yaml": study.replace("FAMILIES", some),
        "personas/goldfish-memory-holder.yaml": persona_template("goldfish-memory-holder"),
        ".github/workflows/echosim.yml": (_FILES / "workflow.yml").read_text(encoding="utf-8"),
    }
