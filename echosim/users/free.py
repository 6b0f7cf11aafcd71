"""The user that is a model through and through: it decides what it believes, says and gives up.

It exists to be compared with `llm`: what differs between the two is owed to how the user is simulated and
not to the target. Nothing is read from its words. Its belief is asked for apart (asked_belief.py): before the
talk, after every second reply, and after the last. A talk in which nothing is asked is word for word the
same: prompts hold the card and the talk, and neither belief nor answers.

The start is what the model tells, not the persona's confidence that the card names: change is counted from
the belief that this user has.
"""

from __future__ import annotations

import math

from echosim.persona_records import Persona
from echosim.protocols import Message, Moment
from echosim.records import BeliefState, Reading, Report, Side, Utterance
from echosim.users import asked_belief, llm_prompt, worded_lines, wording
from echosim.users.acts import Move
from echosim.users.embedded import EmbeddedMind
from echosim.users.line_checks import Setting, problem

NAME = "free"
EVERY = 2
"""Turns from one asking to the next."""
_NO_MODEL = "a user of the engine 'free' needs a model"
LIMIT = 4.6
"""Largest |log-odds|: 1% and 99%, as the belief engine's."""
HOLDS, LET_GO = 0.6, 0.4
"""Belief from which the user is taken to hold the claim, and down to which to have let it go."""

_PHRASES: dict[Side, Move] = {
    1: Move("state", 1, "state", "react_open"),
    0: Move("doubt", 0, "doubt", "react_open"),
    -1: Move("concede", -1, "settled", "react_open"),
}
"""What is said in the model's place where it cannot be brought to say a line."""


class FreeUser:
    """A user without an engine."""

    meaning = (
        "a model decides everything; what it believes is asked apart, in a copy of the talk. "
        "In a study: {engine: free, model: openai/NAME}"
    )
    needs = "model"

    def __init__(self) -> None:
        self._start = EmbeddedMind()

    def calls(self, turns: int) -> int:
        """Paid calls of one trial when everything can be used: a line a turn, and the beliefs."""
        asked = 1 + sum(_is_asked(turn, turns) for turn in range(1, turns + 1))
        return turns + asked_belief.CALLS * asked

    def begin(self, persona: Persona, seed: int) -> BeliefState:
        """The embedded user's seeded start; trust never changes, since nobody asks for it."""
        return self._start.begin(persona, seed)

    async def speak(self, moment: Moment) -> Utterance:
        """The next message, whatever the model wants to say.

        `act` is always "state"; `side` is what the last belief comes to: +1 from .6, -1 down to .4, else 0.
        A phrase that stands in for the model keeps that side, and its own act.

        Raises:
            ValueError: there is no model.
        """
        if moment.voice is None:
            raise ValueError(_NO_MODEL)
        messages, history = _messages(moment), moment.history
        setting = Setting(
            persona=moment.persona,
            said=[turn.user for turn in history],
            heard=history[-1].reply if history else "",
            card=messages[0].content,
            may_give_in=True,
            contradicted=False,
        )
        line = await worded_lines.ask(moment.voice, messages, lambda text: problem(text, setting))
        side = _side(moment.state.confidence)
        if line.text is not None:
            return Utterance(text=line.text, act="state", side=side, flags=line.flags)
        move = _PHRASES[side] if history else Move("state", 1, "opening")
        return Utterance(
            text=wording.word(moment, move, NAME), act=move.act, side=move.side, flags=line.flags
        )

    def update(
        self,
        persona: Persona,  # noqa: ARG002 - the protocol's; what a reply does to the model, only the model knows
        state: BeliefState,
        utterance: Utterance,  # noqa: ARG002
        reading: Reading,  # noqa: ARG002
    ) -> BeliefState:
        """The state as it was: belief changes by `report` alone."""
        return state

    async def start(self, moment: Moment) -> tuple[Report, BeliefState]:
        """What the model tells that it believes before it has said anything.

        Raises:
            ValueError: there is no model.
        """
        if moment.voice is None:
            raise ValueError(_NO_MODEL)
        found = await asked_belief.elicit(moment.voice, _messages(moment), moment.persona.claim)
        return found, _believing(moment.state, found)

    async def report(
        self, moment: Moment, utterance: Utterance, reply: str, state: BeliefState
    ) -> tuple[Report | None, BeliefState]:
        """What the model tells that it believes, and the state with that belief.

        In turns without a question the report is None. Where no answer can be used, the report says so and
        the belief stays what it was.
        """
        if moment.voice is None or not _is_asked(moment.turn, moment.turns):
            return None, state
        talk = [Message("assistant", utterance.text), Message("user", llm_prompt.as_read(reply))]
        fork = [*_messages(moment), *talk]
        found = await asked_belief.elicit(moment.voice, fork, moment.persona.claim)
        return found, _believing(state, found)


def _messages(moment: Moment) -> list[Message]:
    """Card and talk. The card names the persona's start, not what was told: that is the model's affair."""
    persona = moment.persona
    seeded = EmbeddedMind().begin(persona, moment.seed)
    sure = llm_prompt.confidence_words(persona, moment.seed, NAME, 1, seeded)
    now = "Write what this person would write now."
    if moment.opens_session:
        now = "Some days have passed, and this is a new chat. " + now
    return llm_prompt.prompt(
        f"{llm_prompt.card(persona)}\n\nAt the start you are {sure} that {persona.claim.text}. Whether you "
        f"stay with it, doubt it or give it up is up to you, as this person would. {now}",
        moment.history,
    )


def _is_asked(turn: int, turns: int) -> bool:
    return turn == turns or turn % EVERY == 0


def _believing(state: BeliefState, found: Report) -> BeliefState:
    """The mind with what was told; the old one where no answer could be used."""
    if found.private is None:
        return state
    return state.model_copy(update={"log_odds": _log_odds(found.private)})


def _side(belief: float) -> Side:
    return 1 if belief >= HOLDS else -1 if belief <= LET_GO else 0


def _log_odds(belief: float) -> float:
    if belief in (0.0, 1.0):
        return LIMIT if belief else -LIMIT
    return min(max(math.log(belief / (1 - belief)), -LIMIT), LIMIT)
