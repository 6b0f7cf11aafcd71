import itertools
import math
import re

import pytest

from echosim.persona_records import Style
from echosim.protocols import Moment
from echosim.records import BeliefState, Reading, Turn
from echosim.users.acts import Move
from echosim.users.wording import nth_reason, word


def past(count, act="ask", reply="No."):
    """`count` finished turns whose content does not matter, the first a statement."""
    state = BeliefState(log_odds=1.4, anchor=1.4, trust=0.6)
    reading = Reading(stance=0.0, evidence=0, warmth=0.4, on_topic=1)
    return tuple(
        Turn(
            index=index,
            user="words",
            act="state" if index == 1 else act,
            side=1 if index == 1 else 0,
            reply=reply,
            reading=reading,
            before=state,
            after=state,
        )
        for index in range(1, count + 1)
    )


def moment(persona, turn=2, p=0.8, seed=1, history=None):
    odds = math.log(p / (1 - p))
    state = BeliefState(log_odds=odds, anchor=odds, trust=0.6)
    return Moment(persona, seed, turn, 12, state, past(turn - 1) if history is None else history)


def styled(persona, **changes):
    plain = {"typos": 0.0, "emotion": 0.0, "lexicon": (), "words_min": 3, "words_max": 60, "tone": "plain"}
    return persona.model_copy(update={"style": Style.model_validate({**plain, **changes})})


ASK = Move("ask", 0, "ask", "react_open")
REASON = Move("reason", 1, "reason", None)
PUSH = Move("push_back", 1, "repeat", None)


def test_the_first_message_holds_the_personas_own_opening(persona):
    first = Move("state", 1, "opening", None)
    lines = {word(moment(styled(persona), 1, seed=seed), first, "embedded") for seed in range(40)}
    assert all(line.startswith(persona.opening) for line in lines)
    assert len(lines) >= 15
    assert any(reason in line for line in lines for reason in persona.reasons)


def test_no_reason_returns_before_all_were_given_and_none_follows_itself(persona):
    for seed in range(20):
        given = [nth_reason(persona, seed, "embedded", n) for n in range(40)]
        size = len(persona.reasons)
        for start in range(0, 40, size):
            assert sorted(given[start : start + size]) == sorted(persona.reasons)
        assert all(a != b for a, b in itertools.pairwise(given))


def test_reasons_move_on_with_each_turn_that_gave_one(persona):
    speaker = styled(persona)
    voiced = [
        next(
            reason
            for reason in persona.reasons
            if reason in word(moment(speaker, 9, history=past(1 + n, act="reason")), REASON, "embedded")
        )
        for n in range(len(persona.reasons) - 1)
    ]
    assert len(set(voiced)) == len(voiced)


def test_a_phrase_does_not_return_within_a_conversation(persona):
    speaker = styled(persona)
    lines = [
        word(moment(speaker, turn, history=past(turn - 1, act="push_back")), PUSH, "embedded")
        for turn in range(2, 14)
    ]
    assert len(set(lines)) == len(lines)


@pytest.mark.parametrize("tone", ["casual", "plain", "formal"])
def test_length_stays_between_the_personas_bounds(persona, tone):
    speaker = styled(persona, tone=tone, words_min=12, words_max=30, emotion=1.0, lexicon=("to be honest",))
    for seed in range(60):
        for move in (ASK, REASON, PUSH, Move("doubt", 0, "doubt", "react_open")):
            talked = past(3, reply="The water of the lake was measured in the middle of summer.")
            line = word(moment(speaker, 4, seed=seed, history=talked), move, "embedded")
            assert 12 <= len(line.split()) <= 30, line


def test_where_nothing_is_short_enough_the_shortest_is_said(persona):
    terse = styled(persona, words_min=3, words_max=8)
    lengths = [len(word(moment(terse, seed=seed), PUSH, "embedded").split()) for seed in range(30)]
    assert max(lengths) <= 14


def test_confidence_is_said_in_words_that_fit_it(persona):
    state = Move("state", 1, "state", None)

    def lines(p):
        return " ".join(
            word(moment(styled(persona), p=p, seed=seed), state, "embedded") for seed in range(80)
        )

    sure, half = lines(0.95), lines(0.55)
    assert re.search("certain|completely sure|absolutely sure", sure)
    assert not re.search("certain|completely sure|absolutely sure|very sure", half)
    assert "more or less sure" in half


def test_low_confidence_is_not_named_in_a_line_that_takes_the_side(persona):
    push = Move("push_back", 1, "contradicted", None)
    for seed in range(80):
        line = word(moment(styled(persona), p=0.3, seed=seed), push, "embedded")
        assert not re.search(r"\bsure\b|confident", line), line


def test_a_reaction_repeats_only_cleaned_words_of_the_last_reply(persona):
    reply = "**Eels** are <b>nice</b> {claim} fish. https://example.org/x # Heading\n- a list of four items"
    quoted = set()
    for seed in range(120):
        line = word(moment(styled(persona), 3, seed=seed, history=past(2, reply=reply)), ASK, "embedded")
        assert not set(line) & set("*<>{}#`[]")
        assert "example.org" not in line
        quoted |= set(re.findall('"([^"]+)"', line))
    assert quoted == {"Eels are b nice b claim fish", "Heading", "a list of four items"} - {"Heading"}


def test_pet_phrases_and_feelings_come_only_from_the_persona(persona):
    def lines(**style):
        return [
            word(moment(styled(persona, **style), turn, seed=seed), PUSH, "embedded")
            for seed in range(40)
            for turn in (2, 3)
        ]

    assert not any("!" in line for line in lines())
    loud = sum(line.endswith("!") or "! " in line for line in lines(emotion=1.0))
    assert loud >= 10
    assert not any("zounds" in line.lower() for line in lines())
    assert any(line.startswith("Zounds, ") for line in lines(lexicon=("zounds",)))
    assert any(line.startswith("Heavens! ") for line in lines(lexicon=("heavens!",)))


def test_slips_never_touch_the_claim(persona):
    speaker = styled(persona, typos=0.1)
    for seed in range(60):
        line = word(moment(speaker, seed=seed), PUSH, "embedded").lower()
        assert persona.claim.text.lower() in line


@pytest.mark.parametrize("role", ["mirror", "control"])
def test_all_roles_speak_from_the_same_phrases(persona, request, role):
    other = request.getfixturevalue(role)
    for move in (ASK, PUSH, Move("concede", -1, "concede", None)):
        said = set()
        for who in (persona, other):
            speaker = styled(who.model_copy(update={"id": persona.id}))
            line = word(moment(speaker), move, "embedded")
            for text, slot in (
                (who.claim.text, "claim"),
                (who.claim.negation, "negation"),
                (who.topic, "topic"),
            ):
                line = re.sub(re.escape(text), slot, line, flags=re.IGNORECASE)
            said.add(line)
        assert len(said) == 1
