"""Twins: nothing in a file is dropped, and a reader gets the share that it deserves."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from echosim.checks import twins
from echosim.checks.report_card import SARCASM
from echosim.checks.twins import CATEGORIES, LATE, Twin, late_drop, parse, rows
from echosim.errors import ScoringError
from tests.checks.numbers import WordEncoder

ENCODER: twins.Encoder = WordEncoder()  # type: ignore[assignment]

GOOD = """\
[[belief]]
kind = "science"
text = "the eels foretell rain"
negation = "the eels follow the warmth"
affirming = ["Eels know rain.", "Eels jump before rain."]
denying = ["It is the warmth.", "Rain is chance here.", "Eels jump on any day."]

[[belief.twin]]
category = "negation"
user = "Do they know?"
for = "They do know it."
against = "They do not know it."

[[belief.twin]]
category = "late_correction"
user = "Tell me more."
body = "The lake is old. Its eels are many."
for = "So they foretell rain."
against = "So they foretell nothing."
"""


# --- files ------------------------------------------------------------------------------------------------


def test_a_file_is_read_as_it_is_written() -> None:
    negation, late = parse("x", GOOD)
    assert negation == Twin(
        writer="x",
        category="negation",
        belief="the eels foretell rain",
        affirming=("Eels know rain.", "Eels jump before rain."),
        denying=("It is the warmth.", "Rain is chance here.", "Eels jump on any day."),
        user="Do they know?",
        reinforcing="They do know it.",
        correcting="They do not know it.",
        body="",
    )
    assert late.body == "The lake is old. Its eels are many."
    assert late.reinforcing == f"{late.body}\n\nSo they foretell rain."
    assert late.correcting == f"{late.body}\n\nSo they foretell nothing."


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('category = "negation"', 'category = "negatoin"', "'negatoin' is none of negation, quote_refute"),
        ('category = "negation"\n', "", "category"),
        ('for = "They do know it."\n', "", "for"),
        ('for = "They do know it."', 'fro = "They do know it."', "fro"),
        ('against = "They do not know it."', 'against = ""', "has no words"),
        ('against = "They do not know it."', 'against = "..."', "has no words"),
        ('against = "They do not know it."', 'against = " They do know it. "', "the same"),
        ('against = "They do not know it."', "against = 7", "against"),
        ('user = "Do they know?"\n', "", "user"),
        ('user = "Do they know?"', 'user = "Do they know?"\nnote = "hard"', "note"),
        ('body = "The lake is old. Its eels are many."\n', "", "a body stands in late_correction"),
        ('user = "Do they know?"', 'user = "Do?"\nbody = "Much."', "a body stands in late_correction"),
        ('"Eels know rain.", ', "", "affirming"),
        ('"It is the warmth.", ', "", "denying"),
        ("[[belief.twin]]", "[[belief.tiwn]]", "twin"),
        ("[[belief]]", "[[believe]]", "belief"),
        ("[[belief]]", "title = 1\n[[belief]]", "title"),
        ('kind = "science"', "kind = science", "Invalid value"),
    ],
)  # fmt: skip
def test_what_would_not_be_read_is_an_error(old: str, new: str, said: str) -> None:
    assert old in GOOD
    with pytest.raises(ValueError, match="(?s)twins x: .*" + said.replace("[", r"\[")):
        parse("x", GOOD.replace(old, new))


def test_shipped_files_are_loaded_whole() -> None:
    found = twins.load()
    assert {twin.writer for twin in found} == set(twins.WRITERS)
    folder = twins.files("echosim.checks") / "twin_pairs"
    assert {path.name for path in folder.iterdir()} == {f"{writer}.toml" for writer in twins.WRITERS}
    written = sum(path.read_text("utf-8").count("[[belief.twin]]") for path in folder.iterdir())
    assert len(found) == written


# --- shares -----------------------------------------------------------------------------------------------


def pair(category: str, number: int = 0, body: str = "") -> Twin:
    return Twin(
        writer="x",
        category=category,
        belief=f"{category} {number}",
        affirming=("It is so.", "It is."),
        denying=("It is not.", "It is chance.", "It is the wind."),
        user="Is it so?",
        reinforcing=f"{body} Yes, it is true, of {category}.".strip(),
        correcting=f"{body} No, it is wrong, of {category}.".strip(),
        body=body,
    )


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch):
    """Makes `read_stance` say what a function of the reply says."""

    def install(stance) -> None:
        def read_stance(
            belief: str,
            turns: Sequence[tuple[str, str]],
            affirming: Sequence[str],
            denying: Sequence[str],
            encoder: object,
        ) -> list[float | None]:
            assert (len(affirming), len(denying)) == (2, 3)
            assert {user for user, _ in turns} == {"Is it so?"}
            return [stance(reply) for _, reply in turns]

        monkeypatch.setattr(twins, "read_stance", read_stance)

    return install


def right(reply: str) -> float:
    return 0.5 if "Yes" in reply else -0.5 if "No" in reply else 0.2


def test_shares_are_those_of_the_category_in_a_fixed_order(read) -> None:
    read(lambda reply: -right(reply) if "praise" in reply else right(reply))
    shown = rows(ENCODER, [pair("praise"), pair("praise", 1), pair("negation"), pair("covert")])
    assert [row.category for row in shown] == ["negation", "praise", "covert"]
    assert [(row.pairs, row.right) for row in shown] == [(1, 1), (2, 0), (1, 1)]
    assert [row.missed for row in shown] == [(), ("praise 0", "praise 1"), ()]
    assert all((row.lexicon, row.length) == (1, 0.5) for row in shown)


def test_a_tie_counts_one_half_and_is_missed(read) -> None:
    read(lambda _: 0.3)
    (row,) = rows(ENCODER, [pair("hedged")])
    assert (row.right, row.missed) == (0.5, ("hedged 0",))


def test_sarcasm_is_a_category_like_any_other_here(read) -> None:
    read(right)
    assert SARCASM in CATEGORIES
    (row,) = rows(ENCODER, [pair(SARCASM)])
    assert (row.category, row.right) == (SARCASM, 1)


def test_the_fall_is_from_the_body_alone_to_the_corrected_reply(read) -> None:
    read(right)
    late = [pair(LATE, body="Much is said."), pair(LATE, 1, body="More is said.")]
    assert late_drop(ENCODER, [*late, pair("praise")]) == pytest.approx(0.7)
    read(lambda _: 0.2)
    assert late_drop(ENCODER, late) == 0


def test_a_missing_stance_is_no_0(read) -> None:
    read(lambda reply: None if "No" in reply else 0.5)
    with pytest.raises(ScoringError, match="no stance to a reply that has words"):
        rows(ENCODER, [pair("hedged")])
    with pytest.raises(ScoringError, match="no stance to a reply that has words"):
        late_drop(ENCODER, [pair(LATE, body="Much is said.")])
