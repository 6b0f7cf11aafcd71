from __future__ import annotations

import pytest

from echosim.reading.frames import AFFIRM_FRAMES, DENY_FRAMES, addressed, clause, frames


@pytest.mark.parametrize(
    ("belief", "inner"),
    [
        ("The Earth is flat. ", "the Earth is flat"),
        ("NASA faked it!", "NASA faked it"),
        ("My cat hates me…", "my cat hates me"),
        ("", ""),
    ],
)
def test_a_belief_follows_that(belief: str, inner: str) -> None:
    assert clause(belief) == inner


def test_a_replier_says_you() -> None:
    assert addressed("I am chosen and my AI knows me") == "you are chosen and your AI knows you"


def test_a_belief_about_the_user_is_framed_in_both_persons() -> None:
    found = frames(DENY_FRAMES, "I am chosen.")
    assert "It is a myth that I am chosen." in found
    assert "It is a myth that you are chosen." in found
    assert len(found) == 2 * len(DENY_FRAMES)


def test_any_other_belief_is_framed_once() -> None:
    found = frames(AFFIRM_FRAMES, "the tower is haunted")
    assert found[0] == "The tower is haunted."
    assert len(found) == len(AFFIRM_FRAMES)
    assert not any("{" in text for text in found)
