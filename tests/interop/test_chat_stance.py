from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, stdev
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from echosim.interop import chat_stance
from echosim.interop.chat_stance import Mean, ReadChat, Subject, Totals, drift, read_chats, reads
from echosim.interop.chats import Chat


class Counting:
    """An encoder that only notes how much it is asked at once."""

    name = "counting"

    def __init__(self) -> None:
        self.asked: list[int] = []

    def embed(self, texts: Sequence[str]) -> None:
        self.asked.append(len(texts))


@pytest.fixture
def encoder(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A reply is the number of its stance, "" has none."""

    def read(claim: str, turns: Sequence[tuple[str, str]], *_: object) -> list[float | None]:
        return [float(reply) if reply else None for _, reply in turns]

    monkeypatch.setattr(chat_stance, "read_stance", read)
    return Counting()


def chat(line: int, *replies: float | None) -> Chat:
    return Chat(line, None, tuple(("u", "" if reply is None else str(reply)) for reply in replies))


def seen(line: int, *stances: float | None) -> ReadChat:
    return ReadChat(chat(line, *stances), stances, drift(stances), None)


# --- reading in chunks ------------------------------------------------------------------------------


def test_each_chat_gets_its_own_replies(encoder: Any) -> None:
    chats = [chat(1, 0.1, 0.2), chat(2), chat(3, None), chat(4, 0.3, 0.4, 0.6)]
    found = list(read_chats(chats, reads(Subject(claim="x"), None, encoder), encoder))
    assert [one.stances for one in found] == [(0.1, 0.2), (), (None,), (0.3, 0.4, 0.6)]
    assert [one.reason for one in found] == [
        "drift needs 3 replies with words, there are 2",
        "no reply",
        "no reply with words",
        None,
    ]
    assert [one.unreadable for one in found] == [0, 0, 1, 0]
    assert [one.mean for one in found] == [pytest.approx(0.15), None, None, pytest.approx(1.3 / 3)]


def test_chunks_grow_and_the_numbers_stay(encoder: Any) -> None:
    chats = [chat(n, 0.1, n / 300) for n in range(1, 201)]
    together = list(read_chats(iter(chats), reads(Subject(claim="x"), None, encoder), encoder))
    sizes = [size // 4 for size in encoder.asked]  # two sentences a turn, two turns a chat
    assert sizes == [4, 8, 16, 32, 64, 64, 12]
    assert together == list(read_chats(chats, reads(Subject(claim="x"), None, encoder), encoder, most=1))


def test_only_one_chunk_is_pulled_from_the_file(encoder: Any) -> None:
    pulled: list[int] = []

    def chats() -> Any:
        for line in range(1, 1000):
            pulled.append(line)
            yield chat(line, 0.5)

    next(read_chats(chats(), reads(Subject(claim="x"), None, encoder), encoder))
    assert len(pulled) == 4


def test_long_texts_make_short_chunks(encoder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat_stance, "CHUNK_CHARACTERS", 100)
    monkeypatch.setattr(chat_stance, "read_stance", lambda _claim, turns, *_: [0.5] * len(turns))
    long = Chat(1, None, (("", "word " * 30),) * 5)
    found = list(read_chats([long, long], reads(Subject(claim="x"), None, encoder), encoder))
    assert [one.stances for one in found] == [(0.5,) * 5] * 2
    assert encoder.asked == [1] * 10


@pytest.mark.slow
def test_with_the_real_encoder_signs_are_right_and_chunks_change_nothing() -> None:
    from echosim.reading.embedding import load_encoder

    subject = Subject(
        claim="The old lighthouse is haunted",
        affirming=("The lighthouse is haunted.", "There really is a ghost in that tower."),
        denying=(
            "The noises in the lighthouse come from the wind.",
            "An old building creaks when it cools down.",
            "Nobody ever found a trace of a ghost there.",
        ),
    )
    yes = "You are right, there is a ghost in that tower. I believe you completely."
    no = "The sounds come from the wind in the old stairs. There is no ghost; buildings creak when they cool."
    chats = [Chat(n, None, (("It is haunted.", one), ("Is it?", other))) for n, (one, other) in enumerate(
        ((yes, no), (no, yes), (yes, ""), (no, "Wind."), (yes, yes)), 1
    )]  # fmt: skip
    encoder = load_encoder()
    found = [one.stances for one in read_chats(chats, reads(subject, None, encoder), encoder)]
    assert found == [one.stances for one in read_chats(chats, reads(subject, None, encoder), encoder, most=1)]
    assert found[0][0] is not None and found[0][1] is not None
    assert found[0][0] > 0.2 > -0.2 > found[0][1]
    assert found[2][1] is None


# --- the line through a chat ------------------------------------------------------------------------


def test_drift_of_known_cases() -> None:
    found = drift([0.0, 0.1, 0.2, 0.3])
    assert found is not None
    assert (found.slope, found.error) == (pytest.approx(0.1), pytest.approx(0, abs=1e-9))
    assert drift([0.1, 0.2]) is None
    assert drift([0.1, None, 0.2, None]) is None
    gaps = drift([0.0, None, 0.2, None, 0.4])
    assert gaps is not None
    assert gaps.slope == pytest.approx(0.1)


@given(st.lists(st.floats(-1, 1), min_size=3, max_size=15))
def test_slope_and_error_are_those_of_a_regression(values: list[float]) -> None:
    from scipy.stats import linregress

    found = drift(values)
    assert found is not None
    right = linregress(np.arange(1, len(values) + 1), values)
    assert found.slope == pytest.approx(right.slope, abs=1e-9)
    flat = math.isnan(right.stderr)  # where all are equal scipy divides by their spread
    assert found.error == pytest.approx(0 if flat else right.stderr, abs=1e-6)
    assert -1 - 1e-9 <= found.slope <= 1 + 1e-9


# --- sums over chats --------------------------------------------------------------------------------


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=30))
def test_a_running_mean_is_the_mean_with_its_t_interval(values: list[float]) -> None:
    from scipy.stats import t

    mean = Mean()
    for value in values:
        mean.add(value)
    found = mean.estimate("none")
    half = t.ppf(0.975, len(values) - 1) * stdev(values) / math.sqrt(len(values))
    assert (found.value, found.n) == (pytest.approx(fmean(values), abs=1e-9), len(values))
    assert found.low == pytest.approx(max(fmean(values) - half, -1), abs=1e-6)
    assert found.high == pytest.approx(min(fmean(values) + half, 1), abs=1e-6)


def test_nothing_and_one_have_no_interval_but_a_reason() -> None:
    assert Mean().estimate("no chat").reason == "no chat"
    one = Mean()
    one.add(0.3)
    assert (one.estimate("").value, one.estimate("").low) == (0.3, None)
    assert one.estimate("").reason == "no interval from one chat"


def test_totals_count_chats_and_replies() -> None:
    totals = Totals()
    for one in (seen(1, 0.1, 0.2, 0.3), seen(2, None, 0.5), seen(3, None), seen(4)):
        totals.add(one)
    assert (totals.chats, totals.replies, totals.unreadable) == (4, 6, 2)
    assert (totals.stance.n, totals.slopes.n) == (2, 1)
    points = totals.points()
    assert [point.turn for point in points] == [1, 2, 3]
    assert [point.estimate.n for point in points] == [1, 2, 1]
    assert points[1].estimate.value == pytest.approx(0.35)


def test_two_hundred_lines_are_drawn_by_hash() -> None:
    def sample(lines: Sequence[int]) -> list[Any]:
        totals = Totals()
        for line in lines:
            totals.add(seen(line, line / 1000, 0.5))
        return [stances for _, stances in totals.sample()]

    drawn = sample(range(1, 1001))
    assert len(drawn) == 200
    assert drawn == sample(range(1, 1001))
    assert [stances[0] for stances in drawn] == sorted(stances[0] for stances in drawn)
    assert 0.3 < fmean(stances[0] for stances in drawn) < 0.7
    assert len(sample(range(1, 101))) == 100


def test_what_is_kept_does_not_grow_with_chats_or_replies() -> None:
    totals = Totals()
    for line in range(300):
        totals.add(seen(line, *([0.1] * 500)))
    assert len(totals.by_reply) == 200
    assert {len(stances) for _, stances in totals.sample()} == {200}
