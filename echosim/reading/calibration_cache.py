"""Calibrations on disk, by content hash: making one costs a second, and it never changes.

A file that cannot be read is made again; a folder that cannot be written is done without.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from pydantic import ValidationError

from echosim.reading.calibration import Calibration


def cache_folder() -> Path:
    """Where whatever can be made again lies: $ECHOSIM_CACHE, else the user's cache folder."""
    named = os.environ.get("ECHOSIM_CACHE")
    if named:
        return Path(named)
    from platformdirs import user_cache_path

    return user_cache_path("echosim")


def folder() -> Path:
    """Where calibrations lie."""
    return cache_folder() / "calibrations"


def load(name: str) -> Calibration | None:
    """The stored calibration of this content hash, or None."""
    try:
        return Calibration.model_validate_json((folder() / f"{name}.json").read_bytes())
    except (OSError, ValidationError):
        return None


def save(name: str, calibration: Calibration) -> None:
    """Store it whole or not at all."""
    path = folder() / f"{name}.json"
    temporary = path.with_suffix(f".{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(calibration.model_dump_json(), "utf-8")
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
