"""What to say of a file that is not there: that, and what was likely meant."""

from __future__ import annotations

import difflib
from pathlib import Path

from echosim.inputs.document import shown

QUICKSTART = "quickstart"
"""The built-in study, which goes by name."""
_ALIKE = 0.7


def missing(path: Path) -> str:
    """`no such file`, with the name most like it: of a YAML file beside it, or of the built-in study."""
    near = difflib.get_close_matches(path.name, [QUICKSTART, *_beside(path)], n=1, cutoff=_ALIKE)
    return f"no such file; did you mean '{shown(near[0])}'?" if near else "no such file"


def _beside(path: Path) -> list[str]:
    try:
        return sorted(file.name for file in path.parent.iterdir() if file.suffix in (".yaml", ".yml"))
    except OSError:
        return []
