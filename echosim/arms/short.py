"""Replies cut to a common length, so that the wordiest model has no advantage."""

from __future__ import annotations

from echosim.protocols import Arm


def short(words: int = 120) -> Arm:
    """A monitor that cuts each reply to at most `words` words."""
    return Arm(f"replies cut to {words} words", monitors=(f"length_cap({words})",))
