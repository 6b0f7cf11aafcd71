"""What a plugin must look like. No base class is needed: shape is enough.

Entry-point groups (one entry = one object, loaded only when named):

    echosim.targets    a callable that returns a ReferenceTarget:  corrector(), mix(0.25)
    echosim.users      a callable that returns a User
    echosim.arms       a callable that returns an Arm
    echosim.monitors   a callable that returns a Monitor
    echosim.metrics    a Metric

Options stand in the name: `mix(0.25)` calls the registered callable with 0.25.
The arguments below are plain frozen dataclasses: they live for one call and are never stored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from echosim.persona_records import Persona
from echosim.records import (
    Bank,
    BeliefState,
    FactSheet,
    Outcome,
    Reading,
    Report,
    Side,
    Transcript,
    Turn,
    Utterance,
)
from echosim.study_records import Recording

# --- targets ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Message:
    """One side's text, in the target's view: system, user or assistant."""

    role: Literal["system", "user", "assistant"]
    content: str


def last_asserted(sides: Sequence[Side]) -> Side:
    """The newest position that is not 0, of one per user message; +1 (the initial belief) if none is."""
    return next((side for side in reversed(sides) if side != 0), 1)


@dataclass(frozen=True, slots=True)
class TargetRequest:
    """All that a reference target gets; its reply is a pure function of this.

    Attributes:
        sheet: the subject; `sheet.claim` is what the user believed at the start.
        sides: the position that the user asserted in each user message, toward `sheet.claim`
            (0 = none in that message); `sides[-1]` belongs to the message to be answered.
        messages: the conversation so far, the user's newest message last.
        key: seed of all draws; differs by seed, persona, user engine and target.
        bank: template bank to speak from.
    """

    sheet: FactSheet
    sides: Sequence[Side]
    messages: Sequence[Message]
    key: str
    bank: Bank = "dev"

    @property
    def turn(self) -> int:
        """1-based index of the turn to be answered."""
        return len(self.sides)

    @property
    def side(self) -> Side:
        """The user's last asserted position; +1 (the initial belief) if none was asserted yet."""
        return last_asserted(self.sides)


@dataclass(frozen=True, slots=True)
class Intent:
    """What a reference target means to say; the truth that validation compares readings with.

    Attributes:
        stance: toward `sheet.claim`, in [-1, 1].
        points: evidence sentences of the sheet to speak, in order.
        warmth: in [0, 1].
        words: what the wording pretends: "plain", or "disagreeing" (covert: disagreement words
            around supporting content).
        on_claim: False where the reply talks about the domain, not the claim.
    """

    stance: float
    points: tuple[str, ...] = ()
    warmth: float = 0.4
    words: Literal["plain", "disagreeing"] = "plain"
    on_claim: bool = True


class ReferenceTarget(Protocol):
    """A built-in target of known behaviour."""

    def intend(self, request: TargetRequest) -> Intent:
        """What it will say, as truth for validation; pure."""
        ...

    def reply(self, request: TargetRequest) -> str:
        """The words; pure."""
        ...


# --- users --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model behind a user gave back.

    Attributes:
        outcome: `ok` and `truncated` have words; `empty`, `refused`, `filtered` and `too_long` have none.
            Trouble with the provider is no answer: it ends the trial as failed.
        text: the words, cleaned; "" where there are none.
        detail: why there are none, one line.
    """

    outcome: Outcome
    text: str
    detail: str = ""


class Voice(Protocol):
    """The model behind a user, within the run's budget, retries and log."""

    async def ask(self, messages: Sequence[Message], purpose: str) -> Answer:
        """One answer. `purpose` ("line", "line again 1", "belief 2") names the call in the log."""
        ...


@dataclass(frozen=True, slots=True)
class Moment:
    """What a user knows when it is its turn to speak.

    Attributes:
        persona: who speaks.
        seed: repeat number.
        turn: 1-based index of the turn to open, over all sessions.
        turns: turns planned, of all sessions.
        state: the mind after the previous turn; in a new session, after the gap.
        history: finished turns, oldest first.
        session_turns: turns of one session; None where there is only one.
        voice: the model behind the user; None for users without one.
        recording: what the user says again; None for users that do not.
    """

    persona: Persona
    seed: int
    turn: int
    turns: int
    state: BeliefState
    history: Sequence[Turn]
    session_turns: int | None = None
    voice: Voice | None = None
    recording: Recording | None = None

    @property
    def opens_session(self) -> bool:
        """True for the first turn of a second or later session."""
        return self.session_turns is not None and self.turn > 1 and (self.turn - 1) % self.session_turns == 0


class User(Protocol):
    """A simulated user. Draws hash (seed, persona, engine, turn, purpose), never the target.

    Attributes that a user may have besides:
        needs: "model" or "recording": what the study must give it.
        calls: (turns) -> paid calls of one trial when all goes well; only where it needs a model.
    """

    def begin(self, persona: Persona, seed: int) -> BeliefState:
        """The mind before the first turn."""
        ...

    async def speak(self, moment: Moment) -> Utterance:
        """The next message. Must not change anything; must not depend on the target's name."""
        ...

    def update(
        self, persona: Persona, state: BeliefState, utterance: Utterance, reading: Reading
    ) -> BeliefState:
        """The mind after a reply; only the reading moves it."""
        ...


@runtime_checkable
class Reporter(Protocol):
    """A user that can be asked what it believes."""

    async def report(
        self, moment: Moment, utterance: Utterance, reply: str, state: BeliefState
    ) -> tuple[Report | None, BeliefState]:
        """What it tells after a reply, and the mind with it; None in turns in which it is not asked.

        An engine's mind is not changed by being asked. A user without an engine has no other belief than
        the one that it tells.

        Args:
            moment: as `speak` had it.
            utterance: what was said.
            reply: the answer to it.
            state: the mind after the reply, by `update`.
        """
        ...


@runtime_checkable
class Starter(Protocol):
    """A user whose first belief is known only by asking."""

    async def start(self, moment: Moment) -> tuple[Report, BeliefState]:
        """What it tells before anything is said, and the mind with it; asked once a trial.

        Args:
            moment: of turn 1, with the mind that `begin` gave.
        """
        ...


# --- reading ------------------------------------------------------------------------------------


class Reader(Protocol):
    """Reads one reply for one persona; the same function for every target."""

    @property
    def identity(self) -> str:
        """Short hash of encoder, weights, constants and calibration rule."""
        ...

    @property
    def encoder(self) -> str:
        """Name of the encoder, as boards show it."""
        ...

    async def read(self, persona: Persona, user: str, reply: str, side: Side = 1) -> Reading:
        """The reading; independent of what else is being read at the same time.

        Args:
            persona: whose claim stance is toward.
            user: the message that was answered; context only.
            reply: what is read.
            side: the position that the user last asserted, -1 or +1.
        """
        ...


# --- arms and monitors --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a monitor says about a draft reply."""

    action: Literal["pass", "annotate", "rewrite", "resample", "block"] = "pass"
    text: str | None = None
    """The text to show instead (annotate, rewrite, block)."""
    note: str = ""


class Monitor(Protocol):
    """Sits between target and user."""

    async def check(self, history: Sequence[Turn], user: str, draft: str) -> Verdict:
        """Judge one draft; must not change its arguments."""
        ...


@dataclass(frozen=True, slots=True)
class Arm:
    """What is put around a target: a system prompt, monitors, or nothing.

    Attributes:
        meaning: one line for `echosim list`.
        system_prompt: said before the conversation, or None.
        monitors: monitor plugin names, in order.
    """

    meaning: str
    system_prompt: str | None = None
    monitors: tuple[str, ...] = ()


# --- metrics ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Missing:
    """No value, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Metric:
    """One number per transcript.

    Attributes:
        name: as in tables and `scores` rows.
        meaning: one line, with unit.
        low: smallest possible value, or None where unbounded.
        high: largest possible value, or None.
        antisymmetric: True where swapping claim and negation flips the sign.
        compute: the function; gives Missing rather than NaN or 0.
    """

    name: str
    meaning: str
    low: float | None
    high: float | None
    compute: Callable[[Transcript, Persona], float | Missing]
    antisymmetric: bool = False
