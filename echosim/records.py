"""The frozen records that flow through echosim, from persona to leaderboard row.

Records know nothing and do nothing: they are made in one stage and read in the next.
Unknown fields are refused; NaN and infinity are refused; a missing number is None with a reason.
The records of the two YAML formats are in `persona_records.py` and `study_records.py`, those of a
leaderboard in `board_records.py`.
"""

from __future__ import annotations

import functools
import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]
Signed = Annotated[float, Field(ge=-1, le=1)]
Tenths = Annotated[int, Field(ge=-10, le=10)]
Role = Literal["holder", "mirror", "control"]
Side = Literal[-1, 0, 1]
Status = Literal["complete", "limited", "refused", "failed"]
Act = Literal["state", "reason", "ask", "push_back", "doubt", "concede", "change_topic"]
Outcome = Literal[
    "ok", "empty", "refused", "filtered", "truncated", "too_long", "malformed", "transient", "fatal"
]
Bank = Literal["train", "dev", "test"]
FROZEN = "frozen"
"""Flag of a turn that was given to the target as history."""


@functools.cache
def _all_fields(kind: type[BaseModel]) -> set[str]:
    return set(kind.model_fields)


class Record(BaseModel):
    """Base of all records: frozen, no unknown field, no NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def model_post_init(self, _: Any) -> None:
        """Count all fields as given: to note which were, for each record, takes half of its memory."""
        object.__setattr__(self, "__pydantic_fields_set__", _all_fields(type(self)))


# --- what a target may know ---------------------------------------------------------------------


class FactSheet(Record):
    """All that a reference target may know about the subject; nothing about who the user is."""

    claim: str
    """What the user believed at the start, as it follows "that" ("the Earth is flat")."""
    negation: str
    """The opposite, likewise."""
    topic: str
    """Noun phrase for the subject ("the shape of the Earth")."""
    truth: Literal["true", "false", "contested"]
    """Truth of `claim`."""
    supporting: tuple[str, ...]
    """Points for `claim`, in the wording that targets speak; each a whole sentence."""
    refuting: tuple[str, ...]
    """Points against `claim`, likewise."""


# --- one turn -----------------------------------------------------------------------------------


class Utterance(Record):
    """What the user says in one turn."""

    text: str
    act: Act
    """The dialogue act that the text words."""
    side: Side
    """Position that the user asserts, toward the persona's own claim: +1 holds it, -1 has given
    it up, 0 takes no position in this turn."""
    flags: tuple[str, ...] = ()
    """What had to be done to get these words (see users/llm.py); empty when nothing."""
    voiced: Share | None = None
    """Confidence that the words express on purpose; None where they leave it open."""


class Report(Record):
    """What the user tells of its belief; the target never sees the answers asked apart."""

    private: Share | None
    """Confidence in the own claim, asked out of band, as a probability."""
    public: Share | None
    """Confidence as the talk shows it: private plus politeness, or what was voiced on purpose."""
    voiced: bool = False
    """True where the message named `public` on purpose, whatever the belief (`Utterance.voiced`)."""
    answers: tuple[Share | None, ...] = ()
    """Answers of a model that was asked, in order of the questions; None where one was unusable."""
    incoherence: Share | None = None
    """|a + c - 1| of the answers to the claim and to its negation; 0 is coherent."""
    retest: Share | None = None
    """Absolute difference between two askings of the same questions."""
    reason: str | None = None
    """Why `private` is missing."""


class Reading(Record):
    """What the user perceives in one reply; a pure function of persona, texts and reader."""

    stance: Signed | None
    """+1 reinforces the user's claim, -1 corrects it; None only for a reply without words."""
    evidence: Share
    """New-evidence load e before what was heard earlier is discounted."""
    warmth: Share
    on_topic: Share
    """Share of sentences about the claim's subject."""
    matched: tuple[str, ...] = ()
    """Ids of the persona's evidence points found in the reply, both sides, in persona order."""
    unlisted: Share = 0.0
    """Part of `evidence` that comes from checkable statements that are no listed point."""
    contrast: float | None = None
    """C: mean over sentences of (best affirming cosine - best denying cosine)."""
    near: float | None = None
    """C': as C with sentences near the topic weighted up."""
    generic: float | None = None
    """G: mean over sentences of (affirm logit - deny logit) of the generic head."""
    total: float | None = None
    """T: the fixed combination before calibration."""
    unsure: bool = False
    """C and G disagree after centring."""
    reason: str | None = None
    """Why stance is None."""
    sentences: tuple[Tenths, ...] = ()
    """Stance of each sentence as if it were the whole reply, in tenths, in the order of the reply."""


class BeliefState(Record):
    """The user's mind between turns."""

    log_odds: float
    """l: belief in the persona's own claim; confidence = sigmoid(l)."""
    anchor: float
    """l_anchor: the seeded belief toward which l is pulled."""
    trust: Share
    """tau: trust in the target."""
    n_plus: int = Field(default=0, ge=0)
    """Earlier replies that reinforced."""
    n_minus: int = Field(default=0, ge=0)
    """Earlier replies that corrected."""
    heard: tuple[str, ...] = ()
    """Ids of evidence points heard so far, sorted."""
    stance_prev: Signed = 0.0
    """Stance of the previous reply; 0 before the first."""

    @property
    def confidence(self) -> float:
        """Belief as a probability in [0, 1]."""
        if self.log_odds >= 0:
            return 1.0 / (1.0 + math.exp(-self.log_odds))
        odds = math.exp(self.log_odds)
        return odds / (1.0 + odds)


class Turn(Record):
    """One user message and the target's reply."""

    index: int = Field(ge=1)
    user: str
    act: Act
    side: Side
    reply: str
    flags: tuple[str, ...] = ()
    """E.g. truncated, cleaned, rewritten; empty when nothing happened. "frozen": both sides were taken
    from a recording, so the turn says nothing about the target."""
    reading: Reading
    before: BeliefState
    after: BeliefState
    user_flags: tuple[str, ...] = ()
    """As `Utterance.flags`."""
    report: Report | None = None
    """What the user tells of its belief after the reply; None where it was not asked. Of turn 1: before it,
    where the user was asked then and not after it."""
    after_gap: bool = False
    """True on the first turn of a later session: `before` is the mind after the gap."""
    memory: str | None = None
    """What the target is told of earlier sessions; only where `after_gap`."""

    @property
    def frozen(self) -> bool:
        """True where the target was not asked: the turn was given to it as history."""
        return FROZEN in self.flags

    @property
    def voiced(self) -> float | None:
        """Confidence that the user's message named on purpose; None where the words leave it open."""
        return self.report.public if self.report is not None and self.report.voiced else None


# --- one trial ----------------------------------------------------------------------------------


class Trial(Record):
    """One conversation to hold: persona x cell x user engine x seed."""

    id: str
    """Content hash; see inputs/plan.py."""
    persona: str
    family: str
    role: Role
    target: str
    """Label of the target, as boards show it."""
    arm: str
    user: str
    seed: int
    turns: int = Field(ge=1)
    """Of all sessions together."""
    sessions: int = Field(default=1, ge=1)
    """Talks with a gap between them; each has turns / sessions turns."""

    @property
    def session_turns(self) -> int:
        """Turns of one session."""
        return self.turns // self.sessions


class Transcript(Record):
    """The record of one trial."""

    trial: Trial
    status: Status
    reason: str | None = None
    """Why it is not complete."""
    turns: tuple[Turn, ...]
    returned_model: str | None = None
    """Model name that the provider reported last."""

    @property
    def live(self) -> tuple[Turn, ...]:
        """The turns that say something about the target: not those given to it as history."""
        return tuple(turn for turn in self.turns if not turn.frozen)


# --- numbers ------------------------------------------------------------------------------------


class Score(Record):
    """A metric's value on one transcript, or None with a reason."""

    trial: str
    metric: str
    value: float | None
    reason: str | None = None


class Estimate(Record):
    """A mean over families with its 95% interval."""

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0
    """Families behind it."""
    reason: str | None = None
    """Why value or interval is missing."""


class CurvePoint(Record):
    """One turn of a drift curve."""

    turn: int
    estimate: Estimate


class Curve(Record):
    """Mean of one quantity by turn for one cell and role; interval over families."""

    target: str
    arm: str
    user: str
    role: Role
    quantity: Literal["stance", "confidence"]
    points: tuple[CurvePoint, ...]
    """Turn 0 is before the first reply (confidence only)."""
