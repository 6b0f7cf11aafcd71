from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echosim.reading.sentences import split
from echosim.replies import generic_bank
from echosim.reporting.sentence_marks import pieces


@given(st.text(alphabet="ab .!?\n*`_[]()<>#|-:/é", max_size=120), st.lists(st.sampled_from(["", "c1", "r2"])))
def test_no_letter_is_lost_or_doubled(reply: str, marks: list[str]) -> None:
    assert "".join(text for _, text in pieces(reply, marks)) == reply
    fitting = [["", "c1", "r2"][number % 3] for number, _ in enumerate(split(reply))]
    assert "".join(text for _, text in pieces(reply, fitting)) == reply


def test_every_sentence_of_real_replies_is_found() -> None:
    for topic in generic_bank.load("train_a").topics:
        for reply in topic.replies:
            sentences = split(reply.text)
            cut = pieces(reply.text, [f"m{number}" for number in range(len(sentences))])
            marked = [text for mark, text in cut if mark]
            assert [split(text) for text in marked] == [[sentence] for sentence in sentences]
            assert [mark for mark, _ in cut if mark] == [f"m{number}" for number in range(len(sentences))]


def test_a_reply_of_another_number_of_sentences_has_no_marks() -> None:
    assert pieces("It is so. It is not so at all.", ("c1", "c1", "c1")) == [
        ("", "It is so. It is not so at all.")
    ]
    assert pieces("", ()) == [("", "")]


@pytest.mark.parametrize(
    ("reply", "marked"),
    [
        ("Read [this page](https://a.org/x) now. ", "Read [this page](https://a.org/x) now."),
        ("```\nprint('It is flat.')\n```\nIt is **not** flat.", "It is **not** flat."),
        ("| it is | quite flat |\n|---|---|\n", "it is | quite flat"),
    ],
)  # fmt: skip
def test_markup_inside_a_sentence_is_kept(reply: str, marked: str) -> None:
    cut = pieces(reply, ["c1"] * len(split(reply)))
    assert "".join(text for mark, text in cut if mark) == marked
