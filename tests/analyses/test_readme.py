from __future__ import annotations

from pathlib import Path

ANALYSES = Path(__file__).parents[2] / "analyses"


def test_every_script_is_named_in_the_readme():
    listed = (ANALYSES / "README.md").read_text()
    for script in ANALYSES.glob("*.py"):
        assert f"`{script.name}`" in listed, script.name
