"""The bare target."""

from __future__ import annotations

from echosim.protocols import Arm


def none() -> Arm:
    """Nothing is put around the target."""
    return Arm("nothing around the target")
