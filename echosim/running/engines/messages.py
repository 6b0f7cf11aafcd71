"""What the run and a worker elsewhere say to each other.

run                                   worker
 |-- Begin ---------------------------->|   hold this conversation
 |<------------------------------ Ask --|   may I ask this target? (no words of the talk)
 |-- Go -------------------------------->|   there is room and money, and the call is noted: one request
 |<----------------------------- Sent --|   what came of it (Go again where it is worth another)
 |-- Answer ---------------------------->|   that is the reply
 |<---------------------------- Store --|   a finished turn
 |-- Answer ---------------------------->|   it is on disc
 |<---------------------------- Ended --|
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from echosim.records import Trial, Turn
from echosim.running.asking import Prompt
from echosim.running.conversation import Ending
from echosim.running.outcomes import Attempt

# --- to a worker ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Begin:
    """Hold this conversation, from these turns on."""

    trial: Trial
    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class Go:
    """Make one request of the question with this number, within so many seconds."""

    number: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of the `Ask` or `Store` with this number: a value, or an error to raise."""

    number: int
    value: Any = None
    error: Exception | None = None


@dataclass(frozen=True, slots=True)
class Drop:
    """Let go of the conversation of this trial; nobody waits for it any more."""

    trial: str


# --- from a worker --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ask:
    """A question to a paid model.

    Attributes:
        number: of the question, on this worker.
        trial: id.
        model: place of the target in `Study.models`.
        prompt: what the books need to know.
    """

    number: int
    trial: str
    model: int
    prompt: Prompt


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of one request of the question with this number."""

    number: int
    attempt: Attempt


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Nobody waits for the answer to this `Ask` any more."""

    number: int


@dataclass(frozen=True, slots=True)
class Store:
    """A finished turn, to be stored before the conversation goes on."""

    number: int
    trial: str
    turn: Turn


@dataclass(frozen=True, slots=True)
class Ended:
    """How a conversation ended; None where the run is being stopped."""

    trial: str
    ending: Ending | None


ToWorker = Begin | Go | Answer | Drop
FromWorker = Ask | Sent | Withdraw | Store | Ended
