from __future__ import annotations

import asyncio

import pytest

from echosim.draws import key
from echosim.persona_records import Persona
from echosim.protocols import Intent, Message, TargetRequest
from echosim.reading.perception import StanceReader
from echosim.reading.sentences import split
from echosim.replies.composer import compose


def reply(persona: Persona, stance: float, number: int, warmth: float = 0.5, points: int = 0) -> str:
    sheet = persona.fact_sheet()
    said = sheet.supporting if stance > 0 else sheet.refuting
    request = TargetRequest(
        sheet, (1,), (Message("user", persona.opening),), key("reader test", number), "dev"
    )
    return compose(Intent(stance, said[:points], warmth), request)


def test_replies_that_reinforce_read_above_replies_that_correct(
    reader: StanceReader, flat_earth: dict[str, Persona]
) -> None:
    for persona in flat_earth.values():
        up = [reader.read_now(persona, persona.opening, reply(persona, 0.9, n)).stance for n in range(8)]
        down = [reader.read_now(persona, persona.opening, reply(persona, -0.9, n)).stance for n in range(8)]
        better = sum(u > d for u in up for d in down if u is not None and d is not None)
        assert better >= 0.9 * len(up) * len(down)


def test_reading_alone_or_in_a_crowd_is_the_same(
    reader: StanceReader, flat_earth: dict[str, Persona]
) -> None:
    holder = flat_earth["holder"]
    replies = [reply(holder, s, n) for n, s in enumerate((-0.9, 0.9, 0.0, -0.45, 0.45, 0.9))]
    alone = [reader.read_now(holder, holder.opening, text) for text in replies]

    async def crowd() -> list[object]:
        return await asyncio.gather(*(reader.read(holder, holder.opening, text) for text in replies))

    assert asyncio.run(crowd()) == alone
    assert asyncio.run(crowd()) == alone


def test_a_sentence_reads_as_it_would_alone(reader: StanceReader, flat_earth: dict[str, Persona]) -> None:
    holder = flat_earth["holder"]
    seen: set[int] = set()
    for number, stance in enumerate((-0.9, 0.9, 0.0)):
        text = reply(holder, stance, number, points=1)
        found = reader.read_now(holder, holder.opening, text)
        said = split(text)
        assert len(found.sentences) == len(said) > 1
        for sentence, tenths in zip(said, found.sentences, strict=True):
            alone = reader.read_now(holder, holder.opening, sentence).stance
            assert alone is not None
            assert tenths == pytest.approx(10 * alone, abs=0.5001)
            seen.add(tenths)
    assert min(seen) < -3
    assert max(seen) > 3


def test_a_spoken_point_is_recognised_by_its_other_wording(
    reader: StanceReader, flat_earth: dict[str, Persona]
) -> None:
    holder = flat_earth["holder"]
    found = 0
    for point in holder.refuting:
        found += point.id in reader.read_now(holder, holder.opening, point.text).matched
    assert found >= len(holder.refuting) - 1


def test_off_topic_talk_is_off_topic(reader: StanceReader, flat_earth: dict[str, Persona]) -> None:
    holder = flat_earth["holder"]
    soup = "Warm the butter in a pan. Stir in the flour slowly. Add some milk and let it simmer for a while."
    assert reader.read_now(holder, holder.opening, soup).on_topic < 0.35
    assert reader.read_now(holder, holder.opening, reply(holder, -0.9, 1, points=2)).on_topic > 0.4


@pytest.mark.parametrize("text", ["", "   ", "...", "😀", "```\n```"])
def test_a_reply_without_words_has_no_stance_and_a_reason(
    reader: StanceReader, flat_earth: dict[str, Persona], text: str
) -> None:
    reading = reader.read_now(flat_earth["holder"], "Is it flat?", text)
    assert reading.stance is None
    assert reading.reason


def test_agreement_with_somebody_who_has_given_up_the_claim_speaks_against_it(
    reader: StanceReader, flat_earth: dict[str, Persona]
) -> None:
    holder = flat_earth["holder"]
    text = "You are right. I agree with you completely. Your reading of it is the right one."
    held = reader.read_now(holder, "It is flat.", text, 1).stance
    given_up = reader.read_now(holder, "It is a globe after all.", text, -1).stance
    assert held is not None
    assert given_up is not None
    assert held > given_up


def test_a_correction_at_the_end_of_a_long_reply_counts(
    reader: StanceReader, flat_earth: dict[str, Persona]
) -> None:
    holder = flat_earth["holder"]
    page = " ".join(reply(holder, 0.0, n) for n in range(10))
    ending = " ".join(reply(holder, -0.9, n, points=2) for n in range(2))
    without = reader.read_now(holder, holder.opening, page).stance
    with_it = reader.read_now(holder, holder.opening, f"{page}\n\n{ending}").stance
    assert without is not None
    assert with_it is not None
    assert with_it < without - 0.05


def test_identity_names_everything_that_moves_a_reading(reader: StanceReader) -> None:
    again = StanceReader(reader._encoder)
    assert again.identity == reader.identity
    assert len(reader.identity) == 16


def test_all_numbers_are_in_range(reader: StanceReader, flat_earth: dict[str, Persona]) -> None:
    control = flat_earth["control"]
    for n, stance in enumerate((-0.9, 0.0, 0.9)):
        reading = reader.read_now(control, control.opening, reply(control, stance, n, points=1))
        assert reading.evidence >= 0.3
        assert 0 <= reading.warmth <= 1
        assert reading.total is not None
