"""Report cards on disk: the shipped one of the default reader, and those that `validity` has made here.

A card belongs to one reader identity; a reader that has none says so.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from pydantic import ValidationError

from echosim.checks.report_card import ReportCard
from echosim.errors import StorageError
from echosim.reading.calibration_cache import cache_folder


def find(reader: str) -> ReportCard | None:
    """The card of this reader identity, or None if it was never measured here."""
    for text in (_shipped(), _read(_kept(reader))):
        try:
            card = ReportCard.model_validate_json(text) if text else None
        except ValidationError:
            continue
        if card is not None and card.reader == reader:
            return card
    return None


def keep(card: ReportCard) -> None:
    """Store a card in the user's cache folder.

    Raises:
        StorageError: the folder cannot be written.
    """
    write(card, _kept(card.reader))


def write(card: ReportCard, path: Path) -> None:
    """Store a card in a file of its own.

    Raises:
        StorageError: the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(card.model_dump_json(indent=1) + "\n", "utf-8")
    except OSError as error:
        raise StorageError(f"{path}: cannot be written ({error.strerror})") from error


def _kept(reader: str) -> Path:
    return cache_folder() / "report_cards" / f"{reader}.json"


def _shipped() -> str:
    path = files("echosim.checks") / "report_card.json"
    return path.read_text("utf-8") if path.is_file() else ""


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError:
        return ""
