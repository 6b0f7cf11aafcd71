"""Cards on disk: the shipped report card of the default reader, those that `validity` has made here, and the
shipped calibration of the belief engine.

A report card belongs to one reader identity; a reader that has none says so.
"""

from __future__ import annotations

import tempfile
from importlib.resources import files
from pathlib import Path

from pydantic import ValidationError

from echosim.checks import fidelity_card
from echosim.checks.fidelity_card import CalibrationTable
from echosim.checks.report_card import ReportCard
from echosim.errors import StorageError
from echosim.reading.calibration_cache import cache_folder


def find(reader: str) -> ReportCard | None:
    """The card of this reader identity, or None if there is none; one that was made here comes first."""
    for text in (_read(_kept(reader)), _shipped()):
        try:
            card = ReportCard.model_validate_json(text) if text else None
        except ValidationError:
            continue
        if card is not None and card.reader == reader:
            return card
    return None


def place(reader: str, path: Path | None = None) -> Path:
    """Where the card of a reader will lie; asked before it is measured, which takes minutes.

    Args:
        reader: identity.
        path: a file of its own; None for the user's cache folder.

    Raises:
        StorageError: nothing can be written there.
    """
    found = path or _kept(reader)
    try:
        found.parent.mkdir(parents=True, exist_ok=True)
        if found.is_dir():
            raise StorageError(f"{found}: is a folder; name a file")
        with found.open("a") if found.exists() else tempfile.TemporaryFile(dir=found.parent):
            pass
    except OSError as error:
        raise StorageError(f"{found}: cannot be written ({error.strerror})") from error
    return found


def write(card: ReportCard, path: Path) -> None:
    """Store a card.

    Raises:
        StorageError: the file cannot be written.
    """
    try:
        path.write_text(card.model_dump_json(indent=1) + "\n", "utf-8")
    except OSError as error:
        raise StorageError(f"{path}: cannot be written ({error.strerror})") from error


def calibration() -> CalibrationTable:
    """What `echosim fidelity` finds; kept, since it takes seconds and depends on nothing but this version."""
    return fidelity_card.load((files("echosim.checks") / "fidelity_card.json").read_text("utf-8"))


def _kept(reader: str) -> Path:
    return cache_folder() / "report_cards" / f"{reader}.json"


def _shipped() -> str:
    path = files("echosim.checks") / "report_card.json"
    return path.read_text("utf-8") if path.is_file() else ""


def _read(path: Path) -> str:
    """Its text; "" where there is none, or none that is UTF-8 under a name that a file can have."""
    try:
        return path.read_text("utf-8")
    except (OSError, ValueError):
        return ""
