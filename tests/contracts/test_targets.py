"""Every registered reference target keeps its protocol, on every bank."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator

import pytest

from echosim import registry
from echosim.draws import key
from echosim.inputs.personas import load_personas, shipped
from echosim.protocols import Intent, Message, TargetRequest
from echosim.records import Bank, FactSheet
from echosim.replies.slots import count_sentences

SPECS = [name if name != "mix" else "mix(0.5)" for name in registry.names("target")]
PERSONAS = load_personas(shipped())
BANKS: tuple[Bank, ...] = ("train", "dev", "test")


def talk(spec: str, sheet: FactSheet, said: list[str], turns: int, seed: int, bank: Bank) -> Iterator[tuple]:
    """(request, intent, reply) turn by turn."""
    target = registry.load("target", spec)
    messages: list[Message] = []
    sides: list[int] = []
    for turn in range(turns):
        messages.append(Message("user", said[turn % len(said)]))
        sides.append(1)
        request = TargetRequest(sheet, tuple(sides), tuple(messages), key("contract", seed, spec), bank)  # type: ignore[arg-type]
        reply = target.reply(request)
        yield request, target.intend(request), reply
        messages.append(Message("assistant", reply))


@pytest.mark.parametrize("bank", BANKS)
@pytest.mark.parametrize("spec", SPECS)
def test_replies_are_whole_clean_and_short(spec: str, bank: Bank) -> None:
    for persona in PERSONAS[::7]:
        for request, intent, reply in talk(
            spec, persona.fact_sheet(), [persona.opening, *persona.reasons], 8, 1, bank
        ):
            assert isinstance(intent, Intent)
            assert -1 <= intent.stance <= 1
            assert 1 <= count_sentences(reply) <= 6, reply
            assert 12 <= len(reply.split()) <= 170, reply
            assert not re.search(r"\{[a-z_]*\}|  |[.,!?;:]{2}|\s[.,!?;:]|^[a-z]", reply.replace("...", "")), (
                reply
            )
            again = registry.load("target", spec)
            assert again.reply(request) == reply
            assert again.intend(request) == intent


@pytest.mark.parametrize("spec", SPECS)
def test_a_request_is_not_changed(spec: str) -> None:
    persona = PERSONAS[0]
    for request, _, _ in talk(spec, persona.fact_sheet(), [persona.opening], 3, 2, "dev"):
        before = copy.deepcopy(request)
        registry.load("target", spec).reply(request)
        assert before == request


@pytest.mark.parametrize("spec", SPECS)
def test_another_key_gives_mostly_other_words(spec: str) -> None:
    sheet = PERSONAS[3].fact_sheet()
    first = [reply for _, _, reply in talk(spec, sheet, ["Is it not so?"], 6, 1, "dev")]
    second = [reply for _, _, reply in talk(spec, sheet, ["Is it not so?"], 6, 2, "dev")]
    assert sum(a != b for a, b in zip(first, second, strict=True)) >= 5


@pytest.mark.parametrize("spec", SPECS)
def test_eight_turns_do_not_read_as_a_loop(spec: str) -> None:
    sheet = PERSONAS[5].fact_sheet()
    replies = [reply for _, _, reply in talk(spec, sheet, ["Is it not so?"], 8, 1, "dev")]
    assert len(set(replies)) == 8


@pytest.mark.parametrize("spec", SPECS)
def test_braces_quotes_and_markup_in_a_sheet_are_harmless(spec: str) -> None:
    odd = 'the {claim} of "O\'Neil" costs 100% {0.__class__} <b>more</b>'
    sheet = FactSheet(
        claim=odd,
        negation="it costs {negation} less",
        topic="the {point} {}",
        truth="false",
        supporting=tuple(f"Believers {{count}} number {n} in the %(x)s register." for n in range(3)),
        refuting=tuple(f"Records ${{x}} number {n} say {{topic}} otherwise." for n in range(3)),
    )
    for _, _, reply in talk(spec, sheet, ['He said "{claim}" {topic}?'], 8, 1, "dev"):
        assert "__class__" not in reply or "{0.__class__}" in reply
        assert reply == reply.strip()


def test_no_target_says_what_only_the_reader_knows() -> None:
    for persona in PERSONAS[::5]:
        secret = {
            *persona.affirming,
            *persona.denying,
            *(p.paraphrase for p in (*persona.supporting, *persona.refuting)),
        }
        for spec in SPECS:
            for _, _, reply in talk(spec, persona.fact_sheet(), [persona.opening], 5, 1, "dev"):
                assert not any(text in reply for text in secret)


def test_there_are_hundreds_of_different_replies() -> None:
    replies = {
        reply
        for persona in PERSONAS[::3]
        for seed in (1, 2, 3)
        for _, _, reply in talk("corrector", persona.fact_sheet(), [persona.opening], 8, seed, "dev")
    }
    assert len(replies) >= 200
