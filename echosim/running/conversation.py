"""One turn as a graph, one conversation as a plain loop around it; the only file on langgraph.

The graph holds one turn and keeps nothing: each finished turn is a committed row of the store, and
the rows are the checkpoint. So a turn costs the same however many came before it.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypedDict

from echosim import draws
from echosim.belief.sessions import between_sessions, kept
from echosim.errors import LimitReachedError
from echosim.persona_records import Persona
from echosim.protocols import (
    Answer,
    Message,
    Moment,
    Monitor,
    Reader,
    Reporter,
    Starter,
    TargetRequest,
    User,
    last_asserted,
)
from echosim.records import (
    FROZEN,
    Bank,
    BeliefState,
    FactSheet,
    Report,
    Side,
    Status,
    Trial,
    Turn,
    Utterance,
)
from echosim.running import memory
from echosim.running.chat import Reply
from echosim.running.tracing import keep_private
from echosim.study_records import Recording, TargetSpec

_STEPS = 12
"""Bound on the graph's steps in one turn; it takes three."""
_CHANGED = {"annotate": "annotated", "rewrite": "rewritten", "block": "blocked"}


@dataclass(frozen=True, slots=True)
class Setting:
    """All that a trial is held with; shared by trials, holds nothing of any of them.

    Attributes:
        persona: who speaks.
        target: who answers.
        user: the user engine.
        system_prompt: what the arm says first, or None.
        monitors: the arm's monitors, in order.
        reader: how the user reads replies.
        bank: template bank of reference targets.
        key: seed of a reference target's draws in this trial.
        voice: the model behind the user, or None.
        recording: what the user says again, or None.
        remembers: the target is told a summary of earlier sessions.
        timeout: seconds for one trial, stored turns not counted; None means no bound.
        person: the persona with the traits of one drawn person, or None. Traits do not change how a
            reply reads, so one calibration serves a whole population.
    """

    persona: Persona
    target: TargetSpec
    user: User
    system_prompt: str | None
    monitors: tuple[Monitor, ...]
    reader: Reader
    bank: Bank
    key: str
    voice: TargetSpec | None = None
    recording: Recording | None = None
    remembers: bool = False
    timeout: float | None = None
    person: Persona | None = None

    @property
    def speaker(self) -> Persona:
        """Who speaks, with the own traits."""
        return self.person or self.persona


class Asks(Protocol):
    """What a conversation needs of `chat.Chat`."""

    async def ask(
        self, target: TargetSpec, request: TargetRequest, system_prompt: str | None, *, trial: str
    ) -> Reply:
        """The target's next reply."""
        ...


class Keeps(Protocol):
    """What a conversation needs of `store.RunStore`."""

    async def append(self, trial: str, turn: Turn) -> None:
        """Returns when the turn is on disc."""
        ...


@dataclass(frozen=True, slots=True)
class Ending:
    """How a trial ended.

    Attributes:
        status: as in records.
        reason: why it is not complete, or None.
        resumable: a later run should take it up again.
        returned_model: model name that the provider reported last.
    """

    status: Status
    reason: str | None
    resumable: bool
    returned_model: str | None


@dataclass(slots=True)
class _Talk:
    """A conversation under way: grows by one turn at a time and is never copied."""

    trial: Trial
    setting: Setting
    chat: Asks
    sheet: FactSheet
    state: BeliefState
    turns: list[Turn] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    sides: list[Side] = field(default_factory=list)
    told: str | None = None
    started: Report | None = None
    returned_model: str | None = None

    @property
    def opens_session(self) -> bool:
        """True where the next turn is the first of a second or later session."""
        held = len(self.turns)
        return held > 0 and held % self.trial.session_turns == 0

    def begin_session(self, told: str | None) -> None:
        """The target meets the user anew; what it knows of earlier talks is what it is told."""
        self.messages.clear()
        self.sides.clear()
        self.told = told

    def add(self, turn: Turn) -> None:
        if turn.after_gap:
            self.begin_session(turn.memory)
        self.turns.append(turn)
        self.messages += (Message("user", turn.user), Message("assistant", turn.reply))
        self.sides.append(turn.side)
        self.state = turn.after


@dataclass(frozen=True, slots=True)
class _Said:
    """What was said in a turn, before the user has made up its mind about it."""

    moment: Moment
    utterance: Utterance
    reply: str
    flags: tuple[str, ...]


class _OneTurn(TypedDict, total=False):
    """State of the graph; `talk` is passed along by reference. A key costs time and memory in each turn."""

    talk: _Talk
    said: _Said
    turn: Turn


class _EndedError(Exception):
    """The conversation cannot go on."""

    def __init__(self, status: Status, reason: str, *, resumable: bool) -> None:
        self.status: Status = status
        self.reason = reason
        self.resumable = resumable
        super().__init__(reason)


async def hold(
    trial: Trial, setting: Setting, chat: Asks, store: Keeps, turns: Sequence[Turn] = ()
) -> Ending:
    """Hold one conversation to its end, each turn stored before the next begins.

    Args:
        trial: what to hold.
        setting: with whom.
        chat: asks the target.
        store: keeps finished turns.
        turns: turns that are stored already; the conversation goes on after them.

    Raises:
        StoppedError: the run is being stopped; the trial stays unfinished.
        StorageError: a turn could not be stored.
    """
    start = turns[-1].after if turns else setting.user.begin(setting.speaker, trial.seed)
    talk = _Talk(trial, setting, chat, setting.persona.fact_sheet(), start)
    for turn in turns:
        talk.add(turn)
    if setting.recording is not None:
        for turn in setting.recording.frozen[len(talk.turns) :]:
            given = turn.model_copy(update={"flags": (*turn.flags, FROZEN)})
            await store.append(trial.id, given)
            talk.add(given)
    graph = _graph(watched=bool(setting.monitors))
    until = None if setting.timeout is None else asyncio.get_running_loop().time() + setting.timeout
    while len(talk.turns) < trial.turns:
        try:
            async with asyncio.timeout_at(until) as clock:
                if not talk.turns and isinstance(setting.user, Starter):
                    talk.started, talk.state = await setting.user.start(_moment(talk))
                await _gap(talk)
                turn = await graph.ainvoke({"talk": talk}, {"recursion_limit": _STEPS}, output_keys="turn")
        except TimeoutError:
            if not clock.expired():
                raise
            reason = f"limit trial_timeout {setting.timeout:g} reached"
            return Ending("limited", reason, True, talk.returned_model)
        except _EndedError as end:
            return Ending(end.status, end.reason, end.resumable, talk.returned_model)
        except LimitReachedError as limit:
            return Ending("limited", str(limit), True, talk.returned_model)
        await store.append(trial.id, turn)
        talk.add(turn)
    return Ending("complete", None, False, talk.returned_model)


async def _gap(talk: _Talk) -> None:
    """Between two sessions: time moves the mind, and the target meets the user anew."""
    if not talk.opens_session:
        return
    told = await _memory(talk) if talk.setting.remembers else None
    talk.state = between_sessions(talk.turns[-1].after, kept(talk.setting.persona.claim.truth))
    talk.begin_session(told)


async def _memory(talk: _Talk) -> str:
    """What the target will be told in the next session."""
    if talk.setting.target.is_reference:
        return memory.told(memory.taken(talk.turns, talk.trial.session_turns))
    reply = await _ask(talk, Utterance(text=memory.QUESTION, act="ask", side=0))
    return memory.told(reply.text)


# --- the nodes of one turn ----------------------------------------------------------------------


async def _exchange(now: _OneTurn) -> _OneTurn:
    """The user speaks, the target answers."""
    talk = now["talk"]
    moment = _moment(talk)
    utterance = await talk.setting.user.speak(moment)
    reply = await _ask(talk, utterance)
    return {"said": _Said(moment, utterance, reply.text, reply.flags)}


async def _monitor(now: _OneTurn) -> _OneTurn:
    talk, said = now["talk"], now["said"]
    draft, flags = said.reply, said.flags
    for monitor in talk.setting.monitors:
        verdict = await monitor.check(said.moment.history, said.utterance.text, draft)
        if verdict.action == "resample":
            again = await _ask(talk, said.utterance)
            draft, flags = again.text, (*again.flags, "resampled")
            verdict = await monitor.check(said.moment.history, said.utterance.text, draft)
        if verdict.action in _CHANGED:
            if not (verdict.text or "").strip():
                name = type(monitor).__name__
                raise _EndedError(
                    "failed", f"monitor {name} gave no text to {verdict.action}", resumable=True
                )
            draft = str(verdict.text)
            flags = (*flags, _CHANGED[verdict.action])
    return {"said": replace(said, reply=draft, flags=flags)}


async def _perceive(now: _OneTurn) -> _OneTurn:
    """What the user reads in the reply, and the mind after it."""
    talk, said, report = now["talk"], now["said"], None
    setting, user, utterance = talk.setting, talk.setting.user, said.utterance
    side = utterance.side or last_asserted([turn.side for turn in talk.turns])
    reading = await setting.reader.read(setting.persona, utterance.text, said.reply, side)
    after = user.update(setting.speaker, talk.state, utterance, reading)
    if isinstance(user, Reporter):
        report, after = await user.report(said.moment, utterance, said.reply, after)
    turn = Turn(
        index=said.moment.turn,
        user=utterance.text,
        act=utterance.act,
        side=utterance.side,
        reply=said.reply,
        flags=said.flags,
        reading=reading,
        before=talk.state,
        after=after,
        user_flags=utterance.flags,
        report=report or (None if talk.turns else talk.started),
        after_gap=talk.opens_session,
        memory=talk.told if talk.opens_session else None,
    )
    return {"turn": turn}


def _moment(talk: _Talk) -> Moment:
    trial, setting = talk.trial, talk.setting
    return Moment(
        persona=setting.speaker,
        seed=trial.seed,
        turn=len(talk.turns) + 1,
        turns=trial.turns,
        state=talk.state,
        history=tuple(talk.turns),
        session_turns=trial.session_turns if trial.sessions > 1 else None,
        voice=None if setting.voice is None else _Voice(talk, setting.voice),
        recording=setting.recording,
    )


@dataclass(frozen=True, slots=True)
class _Voice:
    """The model behind the user of one talk; trouble with its provider ends the conversation."""

    talk: _Talk
    model: TargetSpec

    async def ask(self, messages: Sequence[Message], purpose: str) -> Answer:
        """See `protocols.Voice`."""
        talk = self.talk
        turn = len(talk.turns) + 1
        key = draws.key(talk.setting.key, "voice", turn, purpose)
        request = TargetRequest(talk.sheet, [0] * turn, messages, key, talk.setting.bank)
        reply = await talk.chat.ask(self.model, request, None, trial=talk.trial.id)
        if reply.outcome in ("transient", "fatal", "malformed"):
            raise _EndedError("failed", f"user model {reply.outcome}: {reply.detail}", resumable=True)
        return Answer(reply.outcome, reply.text, reply.detail)


async def _ask(talk: _Talk, utterance: Utterance) -> Reply:
    """The target's words; anything else ends the conversation."""
    setting = talk.setting
    request = TargetRequest(
        sheet=talk.sheet,
        sides=(*talk.sides, utterance.side),
        messages=(*talk.messages, Message("user", utterance.text)),
        key=setting.key,
        bank=setting.bank,
    )
    said_first = "\n\n".join(filter(None, (setting.system_prompt, talk.told))) or None
    reply = await talk.chat.ask(setting.target, request, said_first, trial=talk.trial.id)
    talk.returned_model = reply.returned_model or talk.returned_model
    if reply.outcome in ("ok", "truncated"):
        return reply
    if reply.outcome in ("filtered", "refused"):
        raise _EndedError("refused", reply.detail, resumable=False)
    if reply.outcome == "too_long":
        raise _EndedError("limited", f"context: {reply.detail}", resumable=False)
    raise _EndedError("failed", f"{reply.outcome}: {reply.detail}", resumable=True)


@functools.cache
def _graph(*, watched: bool = True) -> Any:
    """exchange -> monitor -> perceive, compiled once in a process.

    A node costs 0.15 ms of CPU a turn, whatever it does: so there are no more than there are places where
    something may come between, and without monitors that one is left out.
    Tracing is switched off before the import: conversations leave the machine for the target only.
    """
    keep_private()
    from langgraph.graph import END, START, StateGraph

    graph = StateGraph(_OneTurn)
    nodes: dict[str, Any] = {"exchange": _exchange, "monitor": _monitor, "perceive": _perceive}
    previous = START
    if not watched:
        del nodes["monitor"]
    for name, node in nodes.items():
        graph.add_node(name, node)
        graph.add_edge(previous, name)
        previous = name
    graph.add_edge(previous, END)
    return graph.compile(checkpointer=None)
