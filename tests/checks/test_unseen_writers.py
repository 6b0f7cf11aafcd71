"""Replies of unseen writers: with statements, without them, and by the baselines."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from echosim.checks import unseen_writers
from echosim.checks.report_card import WriterCard
from echosim.errors import ScoringError
from echosim.replies.generic_bank import GenericBank, GenericReply, Topic
from tests.checks.numbers import WordEncoder

YES = "Yes, that is true, and it is certainly right."
NO = "No, that is a myth and it is wrong, however often they say so."
TEA = "Let us have a cup of tea first."


def topic(claim: str) -> Topic:
    return Topic(
        kind="science",
        claim=claim,
        negation=f"it is false that {claim}",
        affirming=(f"Surely {claim}.", f"They saw that {claim}."),
        denying=("It is chance.", "It is the wind.", "It is the tide."),
        replies=tuple(
            GenericReply(stance, register, "So?", text)
            for register in ("casual", "technical")
            for stance, text in ((1, YES), (-1, NO), (0, TEA))
        ),
    )


TOPICS = (topic("eels foretell rain"), topic("tin draws thunder"))
Reader = Callable[[str, str, bool], float | None]
"""Stance by belief, reply, and whether statements came with it."""


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch):
    """The card of a reader on a bank of two topics."""

    def card(stance: Reader) -> WriterCard:
        def read_stance(
            belief: str,
            turns: Sequence[tuple[str, str]],
            affirming: Sequence[str],
            denying: Sequence[str],
            encoder: object,
        ) -> list[float | None]:
            assert (len(affirming), len(denying)) in ((2, 3), (0, 0))
            assert all(user == "So?" for user, _ in turns)
            return [stance(belief, reply, bool(affirming)) for _, reply in turns]

        monkeypatch.setattr(unseen_writers, "read_stance", read_stance)
        monkeypatch.setattr(unseen_writers.generic_bank, "load", lambda _: GenericBank(TOPICS, ()))
        return unseen_writers.card("test", WordEncoder())  # type: ignore[arg-type]

    return card


def right(_: str, reply: str, helped: bool) -> float:
    return {YES: 0.8, NO: -0.8, TEA: 0.1}[reply]


def test_who_reads_what_is_meant_has_a_perfect_card(read) -> None:
    card = read(right)
    assert (card.writer, card.topics, card.replies) == ("test", 2, 12)
    assert (card.auc, card.worst, card.bare) == (1, 1, 1)


def test_baselines_judge_the_same_replies(read) -> None:
    card = read(right)
    assert card.baselines.lexicon == 1
    assert card.baselines.length == 0  # who denies is longer here
    assert 0 <= card.baselines.cosine <= 1


def test_with_and_without_statements_are_told_apart(read) -> None:
    assert (read(lambda b, r, helped: right(b, r, helped) if helped else 0.0)).bare == 0.5
    card = read(lambda b, r, helped: -right(b, r, helped) if helped else right(b, r, helped))
    assert (card.auc, card.bare) == (0, 1)


def test_the_worst_topic_is_named(read) -> None:
    card = read(lambda belief, r, helped: right(belief, r, helped) * (1 if "eels" in belief else -1))
    assert (card.auc, card.worst, card.worst_topic) == (0.5, 0, TOPICS[1].claim)


def test_a_missing_stance_is_no_0(read) -> None:
    with pytest.raises(ScoringError, match="no stance to a reply that has words"):
        read(lambda b, reply, helped: None if reply == TEA else right(b, reply, helped))
