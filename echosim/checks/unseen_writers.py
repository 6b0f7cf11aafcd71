"""Replies of writers and about topics that no head was fitted on, read as any chat is read."""

from __future__ import annotations

from collections.abc import Callable
from statistics import fmean

from echosim.checks import baselines
from echosim.checks.report_card import Baselines, WriterCard
from echosim.checks.required_stance import required_stance
from echosim.checks.separation import auc
from echosim.reading.embedding import Encoder
from echosim.reading.sentences import split
from echosim.reading.stance import read_stance
from echosim.reading.subject import sentence
from echosim.replies import generic_bank
from echosim.replies.generic_bank import GenericReply, Topic, Writer


def card(writer: Writer, encoder: Encoder) -> WriterCard:
    """Read all replies of one writer of the generic bank, with and without statements.

    Raises:
        ScoringError: a reply was given no stance.
    """
    topics = generic_bank.load(writer).topics
    replies = [reply for topic in topics for reply in topic.replies]
    encoder.embed([text for reply in replies for text in (*split(reply.text), *split(reply.user))])
    each = {topic.claim: _auc(topic, _stances(topic, encoder, helped=True)) for topic in topics}
    worst = min(each, key=lambda claim: (each[claim], claim))
    return WriterCard(
        writer=writer,
        topics=len(topics),
        replies=len(replies),
        auc=round(fmean(each.values()), 4),
        worst=round(each[worst], 4),
        worst_topic=worst,
        bare=round(fmean(_auc(topic, _stances(topic, encoder, helped=False)) for topic in topics), 4),
        baselines=Baselines(
            cosine=_mean_auc(
                topics,
                lambda topic, reply: baselines.cosine(encoder.embed, sentence(topic.claim), reply.text),
            ),
            length=_mean_auc(topics, lambda _, reply: len(reply.text)),
            lexicon=_mean_auc(topics, lambda _, reply: baselines.lexicon(reply.text)),
        ),
    )


def _stances(topic: Topic, encoder: Encoder, *, helped: bool) -> list[float]:
    """Stance of each reply, `helped` by the topic's statements or by the belief alone."""
    turns = [(reply.user, reply.text) for reply in topic.replies]
    affirming, denying = (topic.affirming, topic.denying) if helped else ((), ())
    read = read_stance(topic.claim, turns, affirming, denying, encoder)
    return [required_stance(value, reply) for value, (_, reply) in zip(read, turns, strict=True)]


def _auc(topic: Topic, values: list[float]) -> float:
    """AUC of one value a reply, those that accept against those that refute."""
    pairs = list(zip(topic.replies, values, strict=True))
    return auc(
        [value for reply, value in pairs if reply.stance > 0],
        [value for reply, value in pairs if reply.stance < 0],
    )


def _mean_auc(topics: tuple[Topic, ...], value: Callable[[Topic, GenericReply], float]) -> float:
    each = [_auc(topic, [float(value(topic, reply)) for reply in topic.replies]) for topic in topics]
    return round(fmean(each), 4)
