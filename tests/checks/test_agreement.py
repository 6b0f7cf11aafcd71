"""How far channels agree: known cases, nothing made up where nothing is known."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echosim.checks.agreement import SHOWN, Agreement, agreement, called
from echosim.checks.channels import EMBEDDING, Channel, ChannelReading, Heard

ONE = Channel(identity="judge:1", name="openai/one", kind="judge", date="2026-01-01")
TWO = Channel(identity="nli:2", name="nli:two", kind="nli", date="2026-01-01")


def heard(number: int, persona: str = "p", /, **stances: float | str | None) -> Heard:
    """One reply; a text instead of a value is the reason why there is none."""
    names = {"own": EMBEDDING, "one": ONE.identity, "two": TWO.identity}
    readings = {
        names[name]: ChannelReading(stance=None, reason=value)
        if isinstance(value, str)
        else ChannelReading(stance=value, quote=f"words {number}")
        for name, value in stances.items()
    }
    return Heard(
        f"t{number:04}",
        1 + number % 3,
        persona,
        persona.partition("-")[0],
        "holder",
        "m",
        "none",
        "embedded",
        readings,
    )


def only_pair(found: Agreement):  # type: ignore[no-untyped-def]
    (pair,) = found.pairs
    return pair


def test_ranks_that_agree_within_each_belief_agree_although_levels_differ() -> None:
    rows = [heard(n, f"fam{f}", own=n / 20 + f / 10, one=n / 20 - f / 10) for f in range(4) for n in range(6)]
    pair = only_pair(agreement([ONE], rows))
    assert (pair.first, pair.second, pair.replies) == (EMBEDDING, ONE.identity, 24)
    assert pair.rho.value == pytest.approx(1)
    assert pair.rho.n == 4


def test_agreement_on_the_subject_alone_is_none() -> None:
    """Between beliefs the channels agree fully, within each they are opposed."""
    rows = [heard(n, f"fam{f}", own=f / 5 + n / 100, one=f / 5 - n / 100) for f in range(4) for n in range(6)]
    assert only_pair(agreement([ONE], rows)).rho.value == pytest.approx(-1)


def test_personas_are_averaged_in_their_family_first() -> None:
    def rows(persona: str, sign: int) -> list[Heard]:
        return [heard(n, persona, own=n / 10, one=sign * n / 10) for n in range(5)]

    found = agreement([ONE], [*rows("a-1", 1), *rows("a-2", -1), *rows("b-1", 1)])
    rho = only_pair(found).rho
    assert (rho.value, rho.n) == (pytest.approx(0.5), 2)
    assert rho.low is not None
    assert rho.low <= 0.5


def test_without_variation_or_replies_there_is_no_correlation_and_a_reason() -> None:
    flat = [heard(n, own=n / 10, one=0.5) for n in range(9)]
    few = [heard(n, own=n / 10, one=n / 10) for n in range(4)]
    for rows in (flat, few, []):
        rho = only_pair(agreement([ONE], rows)).rho
        assert rho.value is None
        assert rho.reason == "no persona with 5 replies on which both channels vary"


def test_missing_readings_enter_nothing_and_are_counted_by_reason() -> None:
    rows = [
        heard(1, own=0.5, one="judge refused: no"),
        heard(2, own=0.5, one="judge refused: no"),
        heard(3, own=0.5),
        heard(4, own="the reply has no words", one=-1.0),
        heard(5, own=0.25, one=-0.5),
    ]
    found = agreement([ONE], rows)
    assert found.n == 5
    own, one = found.channels
    assert (own.channel.identity, own.read, own.missing) == (EMBEDDING, 4, (("the reply has no words", 1),))
    assert (one.read, one.missing) == (2, (("judge refused: no", 2), ("not read yet", 1)))
    pair = only_pair(found)
    assert (pair.replies, pair.opposite) == (1, 1)
    (cell,) = found.cells
    assert (cell.replies, cell.mean.value, cell.embedding.value) == (1, -0.5, 0.25)
    assert [one.trial for one in found.disagreements] == ["t0005"]


def test_every_pair_is_compared_the_embedding_channel_first() -> None:
    rows = [heard(n, own=n / 10, one=-n / 10, two=n / 10) for n in range(5)]
    found = agreement([ONE, TWO], rows)
    assert [(p.first, p.second, p.rho.value) for p in found.pairs] == [
        (EMBEDDING, ONE.identity, pytest.approx(-1)),
        (EMBEDDING, TWO.identity, pytest.approx(1)),
        (ONE.identity, TWO.identity, pytest.approx(-1)),
    ]
    assert [(c.channel, c.replies) for c in found.cells] == [(ONE.identity, 5), (TWO.identity, 5)]


def test_each_reply_is_listed_once_by_its_farthest_channel() -> None:
    rows = [heard(1, own=0.5, one=0.0, two=-0.5), heard(2, own=-0.75, one=1.0, two=0.0), heard(3, own=0.1)]
    found = agreement([ONE, TWO], rows).disagreements
    assert [(d.trial, d.channel, d.embedding, d.other, d.quote) for d in found] == [
        ("t0002", ONE.identity, -0.75, 1.0, "words 2"),
        ("t0001", TWO.identity, 0.5, -0.5, "words 1"),
    ]


def test_who_agrees_to_the_digit_is_no_disagreement() -> None:
    found = agreement([ONE], [heard(1, own=0.5, one=0.5), heard(2, own=0.5, one=0.25)]).disagreements
    assert [d.trial for d in found] == ["t0002"]


def test_channels_are_called_by_name_and_namesakes_by_identity_too() -> None:
    same = TWO.model_copy(update={"name": ONE.name})
    assert called(agreement([ONE, TWO], [])) == {
        EMBEDDING: "embedding", "judge:1": "openai/one", "nli:2": "nli:two"
    }  # fmt: skip
    assert called(agreement([ONE, same], [])) == {
        EMBEDDING: "embedding", "judge:1": "openai/one (judge:1)", "nli:2": "openai/one (nli:2)"
    }  # fmt: skip


def test_the_largest_differences_are_kept_however_many_replies_there_are() -> None:
    def value(n: int) -> float:
        return ((n * 7919) % 5000) / 5000

    rows = [heard(n, own=0.0, one=value(n)) for n in range(5000)]
    found = agreement([ONE], rows).disagreements
    assert [d.other for d in found] == sorted(map(value, range(5000)), reverse=True)[:SHOWN]


def test_a_run_that_no_other_channel_has_read() -> None:
    found = agreement([], [heard(n, own=n / 10) for n in range(6)])
    assert (found.n, found.pairs, found.cells, found.disagreements) == (6, (), (), ())
    assert [count.channel.identity for count in found.channels] == [EMBEDDING]


stances = st.one_of(st.none(), st.floats(-1, 1))


@given(st.lists(st.tuples(stances, stances, st.sampled_from(["a-1", "a-2", "b-1"])), max_size=40))
def test_no_number_leaves_its_bounds_and_order_does_not_matter(rows: list[tuple]) -> None:  # type: ignore[type-arg]
    told = [
        heard(n, persona, own="none" if x is None else x, one="none" if y is None else y)
        for n, (x, y, persona) in enumerate(rows)
    ]
    found = agreement([ONE], told)
    assert "NaN" not in json.dumps(found.model_dump(mode="json"), allow_nan=False)
    rho = only_pair(found).rho
    assert (rho.value is None) == (rho.reason is not None and rho.n == 0)
    if rho.value is not None:
        assert -1 <= rho.value <= 1
    assert sum(cell.replies for cell in found.cells) == only_pair(found).replies
    turned = agreement([ONE], told[::-1])
    assert turned.disagreements == found.disagreements
    assert only_pair(turned).replies == only_pair(found).replies
    other = only_pair(turned).rho.value
    assert other == (None if rho.value is None else pytest.approx(rho.value))
