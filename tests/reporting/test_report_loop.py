"""The loop gain on the page: only where users were nudged, plain in words, inert under hostile names."""

from __future__ import annotations

import pytest

from echosim.records import Estimate
from echosim.reporting import page_data
from echosim.scoring.loop_gain import LoopGain
from tests.reporting.test_report import PAYLOADS, Structure, _small_figures, write

__all__ = ["_small_figures"]

MISSING = Estimate(value=None, reason="no conversations in which two different confidences were voiced")


def gain(value: float, half: float | None = 0.5, target: str = "eager", user: str = "nudging") -> LoopGain:
    def spread(middle: float) -> Estimate:
        if half is None:
            return Estimate(value=middle, n=1, reason="one family")
        return Estimate(value=middle, low=middle - half, high=middle + half, n=7)

    return LoopGain(target, "none", user, 40, spread(value / 2), spread(value))


def text_of(page: str) -> str:
    """The words of the section, cells of the table apart."""
    return " ".join(" ".join(Structure(page[page.index('id="loop"') :]).text).split())


def test_a_board_without_nudges_has_no_such_section(tmp_path):
    page = write(tmp_path, [])
    assert 'id="loop"' not in page
    assert 'href="#loop"' not in page


def test_reaction_gain_and_meaning_stand_in_one_line(tmp_path):
    page = write(tmp_path, [], gains=(gain(2.0), gain(-0.4, target="calm")))
    assert page.count('id="loop"') == page.count('href="#loop"') == 1
    text = text_of(page)
    assert "In 80 messages users named a confidence" in text
    assert "eager none +1.00 [+0.50, +1.50] +2.00 [+1.50, +2.50] 7 amplifies" in text
    assert "calm none \u22120.20 [\u22120.70, +0.30] \u22120.40 [\u22120.90, +0.10] 7 dies out" in text
    assert "above 1, a belief a little stronger, once voiced, comes back stronger" in text


@pytest.mark.parametrize(
    ("one", "verdict"),
    [
        (gain(1.2), "either"),
        (gain(3.0, half=None), "not known"),
        (LoopGain("eager", "none", "nudging", 3, MISSING, MISSING), "not known"),
    ],
)
def test_what_the_interval_leaves_open_is_left_open(one, verdict):
    (row,) = page_data.loop_gain([one])["rows"]
    assert row["verdict"] == verdict


def test_what_is_missing_says_why(tmp_path):
    page = write(tmp_path, [], gains=(LoopGain("eager", "none", "nudging", 3, MISSING, MISSING),))
    assert f"none: {MISSING.reason}" in text_of(page)


def test_two_users_are_told_apart(tmp_path):
    page = write(tmp_path, [], gains=(gain(2.0), gain(2.0, user="again")))
    assert "eager + nudging" in page
    assert "eager + again" in page


@pytest.mark.parametrize("payload", PAYLOADS[:6])
def test_hostile_names_stay_text(tmp_path, payload):
    plain = Structure(write(tmp_path / "plain", [], gains=(gain(2.0, target="harmless"),)))
    hostile = Structure(write(tmp_path / "hostile", [], gains=(gain(2.0, target=payload),)))
    assert hostile.elements == plain.elements
