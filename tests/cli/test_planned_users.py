"""`echosim plan`: what models behind users will be asked, and who takes part."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from echosim import registry
from echosim.cli import app

STUDY = """
format: 1
name: planned
personas: [flat-earth]
targets: [echosim/neutral, {model: openai/tested, api_base: "http://127.0.0.1:1/v1"}]
anchors: false
turns: 4
"""


class Wordy:
    """A user whose model says one line a turn."""

    needs = "model"

    def calls(self, turns: int) -> int:
        return turns


@pytest.fixture
def planned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def plan(more: str) -> list[str]:
        path = tmp_path / "study.yaml"
        path.write_text(STUDY + more)
        result = CliRunner().invoke(app, ["plan", str(path)])
        assert result.exit_code == 0, result.output
        return result.output.splitlines()

    real = registry.load
    monkeypatch.setattr(
        registry, "load", lambda kind, name: Wordy() if (kind, name) == ("user", "llm") else real(kind, name)
    )
    return plan


def test_models_behind_users_have_a_line_of_their_own_and_the_columns_add_up(planned):
    lines = planned(
        "seeds: [1, 2]\nusers: [embedded, {engine: llm, model: openai/player, api_base: 'http://127.0.0.1:1/v1'}]\n"
    )
    rows = [line.split() for line in lines]
    trials = 3 * 2 * 2
    assert ["neutral", str(trials), str(4 * trials), "0"] in [row[:4] for row in rows]
    assert ["tested", str(trials), str(4 * trials), str(4 * trials)] in [row[:4] for row in rows]
    (voiced,) = [row for row in rows if row[:3] == ["user", "llm", "player"]]
    assert voiced[3:6] == ["0", "0", str(4 * trials)]
    assert ["all", str(2 * trials), str(8 * trials), str(8 * trials)] in [row[:4] for row in rows]


def test_without_them_there_is_no_such_line(planned):
    text = "\n".join(planned("seeds: [1]\n"))
    assert not any(line.startswith("user ") for line in text.splitlines())
    assert "people" not in text


def test_a_population_is_people_and_not_seeds(planned):
    lines = planned("population: 200\n")
    assert lines[-1] == "200 people for each claim, traits drawn from the population; no seeds"
    assert lines[1].split()[1] == "600"
