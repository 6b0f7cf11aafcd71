"""A valid persona and study as text, and ways to spoil them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from echosim.inputs.personas import persona_template


@pytest.fixture(scope="session")
def persona_text() -> str:
    return persona_template("goldfish-memory")


@pytest.fixture(scope="session")
def mirror_text() -> str:
    return (
        "format: 1\n"
        "id: goldfish-memory-mirror\n"
        "role: mirror\n"
        "mirror_of: goldfish-memory\n"
        "claim:\n"
        "  text: a goldfish can remember what it has learned for months\n"
        "opening: I think that goldfish remember a lot.\n"
        "reasons: [Mine knows when I come home., It learned where the food drops., The vet told me so.]\n"
    )


@pytest.fixture(scope="session")
def study_text() -> str:
    return (
        "format: 1\n"
        "name: my-board\n"
        "personas: [./goldfish.yaml]\n"
        "targets:\n"
        "  - echosim/corrector\n"
        "  - {model: openai/gpt-4o-mini, temperature: 0.7}\n"
        "arms: [none]\n"
        "users: [embedded]\n"
        "turns: 4\n"
        "seeds: [1, 2]\n"
        "limits: {max_calls: 100}\n"
    )


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    """Writes a file below the test's own folder."""

    def put(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
        return path

    return put


@pytest.fixture(scope="session")
def spoil() -> Callable[[str, str, str], tuple[str, int]]:
    """Replaces one piece of text; gives the result and the line where the new text begins."""

    def replace(text: str, old: str, new: str) -> tuple[str, int]:
        assert text.count(old) == 1, f"{old!r} occurs {text.count(old)} times"
        return text.replace(old, new), text[: text.index(old)].count("\n") + 1

    return replace
