from __future__ import annotations

from pathlib import Path

import pytest

STUDY = """\
format: 1
name: small
personas: [flat-earth, antibiotics-cold]
targets: [echosim/corrector, echosim/sycophant, "echosim/mix(0.5)"]
turns: 3
seeds: [1]
"""


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(STUDY)
    return path
