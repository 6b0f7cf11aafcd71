"""The pictures of the README: the quickstart's board and drift curves, and the folders with their imports.

    python analyses/readme_figures.py [RUN]

Without RUN the quickstart is held first (about two minutes). Writes PNG files into analyses/figures/.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import structure

import echosim as es
from echosim import api

FIGURES = Path(__file__).parent / "figures"


def main() -> None:
    """Hold the quickstart unless a run is named, and copy its figures."""
    with tempfile.TemporaryDirectory() as scratch:
        run = api.open_run(sys.argv[1]) if len(sys.argv) > 1 else es.run("quickstart", Path(scratch) / "run")
        page = api.report(run, Path(scratch) / "report")
        FIGURES.mkdir(exist_ok=True)
        for name in ("leaderboard", "drift", "frontier"):
            shutil.copyfile(page.parent / "figures" / f"{name}.png", FIGURES / f"{name}.png")
    structure.main()
    print(*sorted(path.name for path in FIGURES.glob("*.png")))


if __name__ == "__main__":
    main()
