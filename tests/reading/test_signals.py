from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from echosim.reading.embedding import Encoder
from echosim.reading.frames import AFFIRM_FRAMES, DENY_FRAMES, frames
from echosim.reading.signals import (
    BELIEF_ALONE,
    CLOSING,
    ECHO,
    LONG,
    OPENING,
    Constants,
    Signals,
    content_emphasis,
    echoes,
    emphasis,
    user_position,
)
from echosim.reading.stance import _tools
from echosim.reading.subject import of_statements

CONSTANTS = Constants(
    sd_contrast=0.1, sd_frames=0.2, sd_near=0.5, sd_generic=2, slope=0.5, slope_alone=0.4,
    evidence_threshold=0.7, topic_threshold=0.3, warm_center=0, warm_scale=1,
)  # fmt: skip


def signals(contrast: float = 0, near: float = 0, generic: float = 0, position: float = 1) -> Signals:
    return Signals(contrast, near, generic, position, 0.5, 1, (), 0)


# --- T ----------------------------------------------------------------------------------------------------


def test_each_signal_counts_in_units_of_its_spread() -> None:
    assert signals(contrast=0.1).total(CONSTANTS) == pytest.approx(1)
    assert signals(near=0.5).total(CONSTANTS) == pytest.approx(0.5)
    assert signals(generic=2).total(CONSTANTS) == pytest.approx(1)


def test_between_stock_frames_the_contrast_has_its_own_spread_and_nearness_counts_nothing() -> None:
    assert signals(contrast=0.2).total(CONSTANTS, BELIEF_ALONE) == pytest.approx(0.5)
    assert signals(near=0.5).total(CONSTANTS, BELIEF_ALONE) == 0


@given(st.floats(-1, 1), st.floats(-5, 5))
def test_assent_counts_toward_what_the_user_holds(position: float, generic: float) -> None:
    held = signals(generic=generic, position=position).total(CONSTANTS)
    denied = signals(generic=generic, position=-position).total(CONSTANTS)
    assert held == -denied


# --- weights of sentences ---------------------------------------------------------------------------------


@given(st.integers(1, LONG))
def test_in_a_reply_of_usual_length_all_sentences_count_alike(n: int) -> None:
    assert (emphasis(n) == 1).all()


@given(st.integers(LONG, 5000))
def test_however_long_the_body_its_conclusion_keeps_its_share(n: int) -> None:
    weights = emphasis(n)
    assert weights[-CLOSING:].sum() / weights.sum() == pytest.approx(CLOSING / LONG)
    assert (weights[:-CLOSING] == 1).all()


@given(st.integers(2, 5000))
def test_the_opening_says_less_about_what_is_held_than_any_other_sentence(n: int) -> None:
    weights = content_emphasis(n)
    assert weights[0] == OPENING * emphasis(n)[0]
    assert (weights[1:] == emphasis(n)[1:]).all()


def test_an_only_sentence_says_all() -> None:
    assert np.average([3.0], weights=content_emphasis(1)) == 3.0


# --- echoes -----------------------------------------------------------------------------------------------


def test_only_the_users_own_words_are_an_echo() -> None:
    asked = ["I watched the horizon for an hour.", "It is flat, and nobody can tell me otherwise!"]
    assert echoes(["I watched the horizon, for an hour!"], asked) == [True]
    assert echoes(["“It is FLAT and nobody can tell me otherwise.”"], asked) == [True]
    assert echoes(["the horizon for an hour. It is flat"], asked) == [True]
    assert echoes(["It is not flat, and nobody can tell me otherwise!"], asked) == [False]
    assert echoes(["You said that it is flat, and nobody can tell you otherwise."], asked) == [False]
    assert echoes(["It is flat."], asked) == [False]  # three words are anybody's
    assert echoes(["a horizon for an hour"], ["the panorama horizon for an hour"]) == [False]
    assert echoes(["Something else was said here."], []) == [False]


@given(st.text(), st.lists(st.text(), max_size=4))
def test_any_text_may_be_asked_about(asked: str, said: list[str]) -> None:
    assert len(echoes(said, [asked])) == len(said)


def test_an_echo_is_an_assent() -> None:
    assert np.isclose(1 / (1 + np.exp(-ECHO)), 0.95, atol=0.01)


# --- the user's position ----------------------------------------------------------------------------------


def test_what_the_user_says_decides_whose_side_assent_takes(encoder: Encoder) -> None:
    learned, constants = _tools(encoder)
    lens = learned.lens
    belief = "the old lighthouse is haunted"
    stock = of_statements(frames(AFFIRM_FRAMES, belief), frames(DENY_FRAMES, belief), encoder.read, lens)

    def position(*said: str) -> float:
        return user_position(stock.axis, lens, constants, encoder.read(list(said)))

    held = position("It is haunted, I heard the ghost myself, and I know it is true.")
    denied = position("No, it is not true that it is haunted, there is no evidence, it is a myth.")
    assert position() == 1
    assert held > 0.7
    assert denied < held
    assert position("What shall I cook tonight?") > 0  # people who chat about a belief mostly hold it
