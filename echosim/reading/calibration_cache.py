"""Calibrations on disk, by content hash: making one costs a second, and it never changes.

A file that cannot be read is made again; a folder that cannot be written is done without.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from pydantic import ValidationError

from echosim.errors import StorageError
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
    """Store it, if the folder allows."""
    with contextlib.suppress(StorageError):  # a cache may be done without
        write_whole(folder() / f"{name}.json", calibration.model_dump_json().encode())


def write_whole(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, with its folder.

    Raises:
        StorageError: it cannot be written.
    """
    temporary = path.with_suffix(f".{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(data)
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise StorageError(f"{path}: cannot be written ({error.strerror})") from error
