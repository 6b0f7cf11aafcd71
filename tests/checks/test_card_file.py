"""Report cards on disk: found by reader, damaged ones are none, a bad place is said before the work."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from echosim.checks import card_file
from echosim.checks.card_file import find, place, write
from echosim.checks.fidelity import FEWEST, SITUATIONS, calibration_table
from echosim.errors import StorageError
from echosim.inputs.personas import load_personas, shipped
from tests.reporting import cards


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ECHOSIM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(card_file, "_shipped", lambda: "")
    return tmp_path / "cache"


def test_a_kept_card_is_found_by_its_reader_alone() -> None:
    card = cards.card("abc")
    assert find("abc") is None
    write(card, place("abc"))
    assert find("abc") == card
    assert find("other") is None


def test_missing_values_survive_the_disk() -> None:
    whole = cards.card("abc")
    gaps = {"eci": (None, 1.0, None), "spearman": None, "flip_error": None, "missing": ("why",)}
    card = whole.model_copy(update={"dose": whole.dose.model_copy(update=gaps)})
    write(card, place("abc"))
    assert find("abc") == card


def test_the_shipped_card_serves_where_none_was_made(monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = cards.card("abc")
    monkeypatch.setattr(card_file, "_shipped", shipped.model_dump_json)
    assert find("abc") == shipped
    assert find("other") is None
    own = shipped.model_copy(update={"date": "2030-01-01"})
    write(own, place("abc"))
    assert find("abc") == own


@pytest.mark.parametrize("damage", [b"", b"{", b"\xff\xfe", b"[]", b'{"reader": "abc"}'])
def test_a_damaged_card_is_none(damage: bytes) -> None:
    path = place("abc")
    path.write_bytes(damage)
    assert find("abc") is None


def test_a_card_under_another_readers_name_is_none() -> None:
    write(cards.card("abc"), place("other"))
    assert find("other") is None


@pytest.mark.parametrize("reader", ["a\0b", "x" * 5000, "", ".", "\ud800"])
def test_no_identity_breaks_the_search(reader: str) -> None:
    assert find(reader) is None


# --- places -----------------------------------------------------------------------------------------------


def test_a_place_is_made_and_left_empty(cache: Path, tmp_path: Path) -> None:
    assert place("abc") == cache / "report_cards" / "abc.json"
    own = tmp_path / "deep" / "down" / "card.json"
    assert place("abc", own) == own
    assert not list(own.parent.iterdir())
    own.write_text("as it was")
    assert place("abc", own).read_text() == "as it was"


def test_a_folder_is_no_place(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="is a folder; name a file"):
        place("abc", tmp_path)


def test_below_a_file_there_is_no_place(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be written"):
        place("abc", tmp_path / "file" / "card.json")


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to root")
def test_a_closed_folder_is_no_place(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StorageError, match="cannot be written"):
        place("abc", tmp_path / "card.json")


def test_what_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be written"):
        write(cards.card(), tmp_path)


# --- the calibration ----------------------------------------------------------------------------


def test_the_shipped_calibration_has_the_situations_and_brackets_of_this_version() -> None:
    table = card_file.calibration()
    kept = ("id", "low", "high", "strict", "unit", "study", "assumed")
    shipped = [{name: getattr(row, name) for name in kept} for row in table.rows]
    assert shipped == [{name: getattr(one, name) for name in kept} for one in SITUATIONS]
    assert [row.situation for row in table.rows] == [one.words for one in SITUATIONS]
    assert (table.passed, table.users, table.seed) == (True, FEWEST, 1)


@pytest.mark.slow
def test_the_shipped_calibration_is_what_the_engine_does_now() -> None:
    """Where it is not: `echosim fidelity --json > echosim/checks/fidelity_card.json`."""
    found = calibration_table(load_personas(shipped()), card_file.calibration().version)
    assert card_file.calibration() == found
