"""From a move to a message: phrases, the persona's own material, a few words of the reply, a style.

Draws hash (seed, persona, engine, turn, purpose). Which phrase and which reason come next is counted
along the history through a seeded order: no reason returns before all have been given, and a phrase
hardly ever does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from echosim import draws
from echosim.persona_records import Persona
from echosim.protocols import Moment
from echosim.users import phrases
from echosim.users.acts import Move
from echosim.users.handwriting import type_out
from echosim.users.phrases import Phrase
from echosim.users.quoting import quote

REACTS = 0.35
"""Share of turns that repeat a few words of the last reply."""
PET_PHRASE = 0.25
"""Share of turns that open with one of the persona's pet phrases."""
_SHORTEST = 4
"""Where no phrase of a pool is short enough for a persona, these many of its shortest are used."""
_SPOKEN_WITH_FEELING = frozenset({"state", "reason", "push_back", "doubt"})
_AFTER_A_PET_PHRASE = re.compile(
    r"(?:I|It|My|There|This|That|The|Part|Maybe|Now|One|Somebody|Most|Everybody)\b"
)
"""Openings that can follow "to be honest,"."""


@dataclass(frozen=True, slots=True)
class _Speaker:
    """One persona of one seed at one turn, as the key of its draws."""

    persona: Persona
    who: tuple[object, ...]
    turn: int

    def uniform(self, purpose: str) -> float:
        return draws.uniform(*self.who, self.turn, purpose)

    def integer(self, purpose: str) -> int:
        return draws.integer(*self.who, self.turn, purpose)

    def pool(self, name: str) -> tuple[Phrase, ...]:
        return phrases.load().pools[name, self.persona.style.tone]

    def shuffled(self, pool: str) -> list[Phrase]:
        return draws.shuffled(self.pool(pool), *self.who, self.turn, pool)


def word(moment: Moment, move: Move, engine: str, voiced: float | None = None) -> str:
    """The message that performs `move` at this moment; one line of plain text.

    Args:
        moment: all that the user knows.
        move: what to do.
        engine: name of the user engine, part of every draw.
        voiced: confidence in [0, 1] that the message names in figures, then without "I am very sure" and the
            like; None leaves it to such words, which go by the belief.
    """
    persona, style = moment.persona, moment.persona.style
    speaker = _Speaker(persona, (moment.seed, persona.id, engine), moment.turn)
    values = _values(moment, speaker, engine)
    number = "" if voiced is None else _number(voiced, speaker)
    phrase = _phrase(moment, move, speaker, number)
    said = _with_feeling(phrase.fill(values), move, speaker)
    if number:
        said = f"{said} {number}"
    quoted = values.get("quote", "")

    def fits(addition: str) -> bool:
        return _count(said) + _count(addition) <= style.words_max

    pet = _pet_phrase(speaker)
    if pet and _AFTER_A_PET_PHRASE.match(phrase.text) and fits(pet):
        said = _join_pet(pet, said)
    if quoted and move.reaction is not None and speaker.uniform("react") < REACTS:
        reaction = speaker.shuffled(move.reaction)[0].fill(values)
        said = f"{reaction} {said}" if fits(reaction) else said
    for addition in _additions(move, speaker):
        wanted = addition.wanted or _count(said) < style.words_min
        if wanted and fits(addition.text):
            said = f"{said} {addition.text}"
    legible = f"{persona.claim.text} {persona.claim.negation} {persona.topic} {quoted} {number}"
    keep = set(re.findall(r"\w+", legible.lower()))
    return type_out(" ".join(said.split()), style, keep, speaker.who, moment.turn)


def _values(moment: Moment, speaker: _Speaker, engine: str) -> dict[str, str]:
    persona = moment.persona
    voiced = sum(turn.act == "reason" for turn in moment.history) + bool(moment.history)
    values = {
        "claim": persona.claim.text,
        "Claim": _capital(persona.claim.text),
        "negation": persona.claim.negation,
        "Negation": _capital(persona.claim.negation),
        "topic": persona.topic,
        "opening": _sentence(persona.opening),
        "reason": _sentence(nth_reason(persona, moment.seed, engine, voiced)),
        "sure": draws.choice(
            phrases.load().confidence_words(moment.state.confidence), *speaker.who, moment.turn, "sure"
        ),
    }
    if moment.history:
        words = quote(moment.history[-1].reply, speaker.integer("quoted"), speaker.integer("quote length"))
        if words:
            values["quote"] = words
    return values


def nth_reason(persona: Persona, seed: int, engine: str, n: int) -> str:
    """The n-th reason (from 0) that this user gives: all of them, reshuffled, without a repeat in a row."""
    cycle, place = divmod(n, len(persona.reasons))

    def order(of: int) -> list[str]:
        return draws.shuffled(persona.reasons, seed, persona.id, engine, "reasons", of)

    now = order(cycle)
    if cycle and now[0] == order(cycle - 1)[-1]:
        # Swapping the first two leaves the last where the next cycle expects it.
        now[0], now[1] = now[1], now[0]
    return now[place]


def _number(voiced: float, speaker: _Speaker) -> str:
    """A sentence that names a confidence; the words do not depend on which, and return as late as may be."""
    pool = speaker.pool("number")
    cycle, place = divmod(speaker.turn, len(pool))
    phrase = draws.shuffled(pool, *speaker.who, "number", cycle)[place]
    return phrase.fill({"percent": str(round(100 * voiced))})


def _phrase(moment: Moment, move: Move, speaker: _Speaker, number: str) -> Phrase:
    pool = speaker.pool(move.pool)
    if number or (move.side == 1 and moment.state.confidence < 0.5):
        # A line that takes the claim's side does not name how little is left of the belief, and one that
        # names a number has no second word on it.
        pool = tuple(phrase for phrase in pool if "sure" not in phrase.slots)
    fitting = _fitting(pool, moment.persona, moment.persona.style.words_max - _count(number))
    cycle, place = divmod(sum(turn.act == move.act for turn in moment.history), len(fitting))
    return draws.shuffled(fitting, *speaker.who, move.pool, cycle)[place]


def _fitting(pool: Sequence[Phrase], persona: Persona, longest: int) -> list[Phrase]:
    """The phrases that stay within so many words, else the shortest ones."""
    claim, negation = _count(persona.claim.text), _count(persona.claim.negation)
    cost = {
        "claim": claim,
        "Claim": claim,
        "negation": negation,
        "Negation": negation,
        "topic": _count(persona.topic),
        "opening": _count(persona.opening),
        "reason": max(map(_count, persona.reasons)),
        "sure": 3,
    }
    lengths = {phrase: phrase.words + sum(cost[slot] for slot in phrase.slots) for phrase in pool}
    fitting = [phrase for phrase in pool if lengths[phrase] <= longest]
    return fitting or sorted(pool, key=lengths.__getitem__)[:_SHORTEST]


def _with_feeling(said: str, move: Move, speaker: _Speaker) -> str:
    style = speaker.persona.style
    share = style.emotion * (0.1 if style.tone == "formal" else 0.5)
    loud = move.act in _SPOKEN_WITH_FEELING and said.endswith(".") and speaker.uniform("loud") < share
    return f"{said[:-1]}!" if loud else said


def _pet_phrase(speaker: _Speaker) -> str | None:
    lexicon = speaker.persona.style.lexicon
    if not lexicon or speaker.uniform("pet phrase") >= PET_PHRASE:
        return None
    return draws.choice(lexicon, *speaker.who, speaker.turn, "which pet phrase").strip()


def _join_pet(pet: str, said: str) -> str:
    if pet.endswith((".", "!", "?")):
        return f"{_capital(pet)} {said}"
    rest = said if said[:2] in ("I ", "I'") else said[0].lower() + said[1:]
    return f"{_capital(pet.rstrip(','))}, {rest}"


@dataclass(frozen=True, slots=True)
class _Addition:
    text: str
    wanted: bool
    """Said in any case, not only to reach the persona's shortest message."""


def _additions(move: Move, speaker: _Speaker) -> Iterator[_Addition]:
    if move.act == "change_topic":
        return
    if move.act in _SPOKEN_WITH_FEELING:
        moved = speaker.uniform("feeling") < 0.3 * speaker.persona.style.emotion
        yield _Addition(speaker.shuffled("feeling")[0].text, wanted=moved)
    more = move.act != "ask" and move.pool != "opening" and speaker.uniform("tail") < 0.15
    for i, tail in enumerate(speaker.shuffled("tail")):
        yield _Addition(tail.text, wanted=more and i == 0)


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _count(text: str) -> int:
    return len(text.split())
