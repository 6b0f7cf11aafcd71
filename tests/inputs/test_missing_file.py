from __future__ import annotations

from pathlib import Path

import pytest

from echosim.inputs.missing_file import missing


@pytest.mark.parametrize("name", ["quickstar", "Quickstart", "quick-start", "quickstart.yaml"])
def test_the_built_in_study_is_offered_by_its_name(tmp_path: Path, name: str) -> None:
    assert missing(tmp_path / name) == "no such file; did you mean 'quickstart'?"


def test_a_yaml_file_beside_it_is_offered(tmp_path: Path) -> None:
    for name in ("board.yaml", "board.txt", "goldfish.yml"):
        (tmp_path / name).touch()
    assert missing(tmp_path / "bord.yaml") == "no such file; did you mean 'board.yaml'?"
    assert missing(tmp_path / "goldfish.yaml") == "no such file; did you mean 'goldfish.yml'?"


def test_nothing_alike_nothing_offered(tmp_path: Path) -> None:
    (tmp_path / "board.yaml").touch()
    assert missing(tmp_path / "nowhere") == "no such file"
    assert missing(tmp_path / "no folder" / "bord.yaml") == "no such file"


def test_a_name_cannot_act_on_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "board\x1b.yaml").touch()
    assert "\x1b" not in missing(tmp_path / "board.yaml")
