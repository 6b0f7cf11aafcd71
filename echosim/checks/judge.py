"""Other channels read a run's replies: cross-encoders and language models, side by side, outside scoring.

What is read is stored at once under the channel's identity; the same call again reads only what is
missing. Nothing here touches a score, a belief or a board.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from echosim.checks import channels, llm_judge, nli_judge
from echosim.checks.agreement import Agreement, ChannelCount, agreement
from echosim.checks.channels import Channel, ChannelReading, Question
from echosim.errors import InputError, LimitReachedError
from echosim.records import Record
from echosim.running import store
from echosim.running.batch import GRACE
from echosim.running.budget import Budget
from echosim.running.chat import Chat, StoppedError, check_targets
from echosim.running.store import RunStore
from echosim.running.stored_run import StoredRun
from echosim.study_records import Limits, Study, TargetSpec

CONFIRM_ABOVE = 1000
"""Paid calls that may be made without being agreed to."""
_NONCE = "judge_nonce"
"""Fact of a run: makes fence codes that no reply could know, and the same ones in every session."""


class Judge(Protocol):
    """Whatever reads one reply."""

    @property
    def returned(self) -> Collection[str]:
        """Model names that a provider reported."""
        ...

    async def read(self, question: Question) -> ChannelReading:
        """The reading; None with a reason where there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a channel is.

    Attributes:
        name: of the channel.
        done: replies read in this session.
        todo: replies that it had not read before.
        missing: of those done, replies without a value.
    """

    name: str
    done: int
    todo: int
    missing: int


class Outcome(Record):
    """What one channel has come to, over all sessions."""

    count: ChannelCount
    """Of how many replies it has a value, and why not of the others."""
    left: int
    """Replies not asked about yet, or to be asked about again."""
    stopped: str | None = None
    """Why it could not go on in this session."""


class Judged(Record):
    """What a session has come to."""

    outcomes: tuple[Outcome, ...]
    """One a channel that was asked for, in that order."""
    calls: int
    """Paid requests of this session, second attempts counted."""
    limit: str | None
    """Which limit stopped it."""
    agreement: Agreement
    """Of all channels that the run has by now."""
    exit_code: int
    """3 stopped by a limit; 1 replies are left, or a channel has no value at all; else 0."""


async def judge(
    folder: Path,
    study: Study,
    models: Sequence[str],
    *,
    api_base: str | None = None,
    api_key_env: str | None = None,
    allow_http: bool = False,
    temperature: float | None = None,
    max_tokens: int = llm_judge.MAX_TOKENS,
    max_calls: int | None = None,
    agree: Callable[[int], bool] = lambda _: False,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Judged:
    """Have every stored reply of a run read by these channels, as far as they have not read it yet.

    Args:
        folder: the run folder.
        study: its resolved study; gives personas, calls in flight and seconds per attempt.
        models: `nli:NAME_OR_FOLDER` or litellm model strings; the options below are for the latter.
        api_base, api_key_env, allow_http, temperature, max_tokens: as for a target of a study.
        max_calls: paid requests of this session; None for no bound.
        agree: asked with the number of paid calls where they may be more than `CONFIRM_ABOVE`.
        on_progress: called after each reply.

    Returns:
        What the channels have come to. A reply that a channel cannot read is counted, not raised.

    Raises:
        InputError: a model, option or key is wrong, or the calls were not agreed to; nothing was called.
        EncoderError: a cross-encoder cannot be loaded, or breaks.
        StorageError: the folder cannot be used.
    """
    options = {"api_base": api_base, "api_key_env": api_key_env, "temperature": temperature}
    _check(models, [f"--{name.replace('_', '-')}" for name, value in options.items() if value is not None])
    specs = {
        model: llm_judge.spec_of(
            model,
            api_base=api_base,
            api_key_env=api_key_env,
            allow_http=allow_http,
            temperature=temperature,
            max_tokens=max_tokens,
        )
        for model in models
        if not model.startswith(nli_judge.PREFIX)
    }
    check_targets([spec.model_copy(update={"label": f"judge {spec.model}"}) for spec in specs.values()])
    encoders = {model: nli_judge.load(model) for model in models if model not in specs}
    bounds = study.limits.model_copy(update={"max_calls": max_calls, "max_tokens": None, "max_cost": None})
    with store.reopen(folder) as writer, StoredRun(folder) as run:
        session = _Session(writer, run, study, bounds, on_progress)
        paid = sum(session.left(spec.label) for spec in specs.values())
        planned = paid if max_calls is None else min(paid, max_calls)
        if planned > CONFIRM_ABOVE and not agree(planned):
            raise InputError(
                f"{planned:,} paid calls are more than {CONFIRM_ABOVE:,}; agree with --yes or set --max-calls"
            )
        stopped: dict[str, str | None] = {}
        for model in models:
            if model in specs:
                stopped[specs[model].label] = await session.ask_model(specs[model])
            else:
                stopped[encoders[model].identity] = await session.ask_encoder(encoders[model])
        found = agreement_of(run)
        counts = {count.channel.identity: count for count in found.channels}
        outcomes = [
            Outcome(count=counts[name], left=session.left(name), stopped=why) for name, why in stopped.items()
        ]
    poor = any(outcome.left or (found.n and not outcome.count.read) for outcome in outcomes)
    return Judged(
        outcomes=tuple(outcomes),
        calls=session.budget.spent.calls,
        limit=session.budget.reached,
        agreement=found,
        exit_code=3 if session.budget.reached else int(poor),
    )


def agreement_of(run: StoredRun) -> Agreement:
    """How far the channels that a run has agree with each other."""
    others = channels.listed(run.facts())
    return agreement(others, channels.heard(run, others))


class _Session:
    """What the channels of one call share."""

    def __init__(
        self,
        writer: RunStore,
        run: StoredRun,
        study: Study,
        bounds: Limits,
        on_progress: Callable[[Progress], None],
    ) -> None:
        self.budget = Budget(bounds, ())
        self._writer = writer
        self._run = run
        self._study = study
        self._bounds = bounds
        self._on_progress = on_progress
        if _NONCE not in run.facts():
            writer.put_fact(_NONCE, secrets.token_hex(16))
        self._nonce = run.facts()[_NONCE]

    def left(self, identity: str) -> int:
        """Replies that a channel has still to read."""
        return sum(1 for _ in self._unread(identity))

    async def ask_model(self, spec: TargetSpec) -> str | None:
        """Put every reply that is left before a language model; gives why it stopped early."""
        chat = Chat(self._bounds, self.budget, self._writer)
        reader = llm_judge.LanguageJudge(spec, chat, self._nonce)

        def listed(returned: Sequence[str]) -> Channel:
            return llm_judge.channel_of(spec, _today(), returned)

        try:
            return await self._read(reader, listed, self._bounds.in_flight, chat.stop)
        finally:
            await chat.close()

    async def ask_encoder(self, reader: nli_judge.EntailmentJudge) -> str | None:
        """Put every reply that is left before a cross-encoder."""
        return await self._read(reader, lambda _: reader.channel(_today()), 1, lambda: None)

    async def _read(
        self,
        reader: Judge,
        listed: Callable[[Sequence[str]], Channel],
        width: int,
        stop: Callable[[], None],
    ) -> str | None:
        channel = listed(())
        todo = self.left(channel.identity)
        if todo == 0 and channel.identity in {one.identity for one in channels.listed(self._run.facts())}:
            return None
        self._list(listed, ())
        questions = self._unread(channel.identity)
        work = _Work(reader, questions, channel, todo, self._writer, self._on_progress)
        try:
            return await work.run(min(width, todo), stop)
        finally:
            self._list(listed, reader.returned)

    def _unread(self, identity: str) -> Iterator[Question]:
        return channels.unread(self._run, self._study.personas, identity)

    def _list(self, listed: Callable[[Sequence[str]], Channel], returned: Collection[str]) -> None:
        """Keep the channel on the run's list, with every name that any session was answered under."""
        facts = self._run.facts()
        identity = listed(()).identity
        before = [name for one in channels.listed(facts) if one.identity == identity for name in one.returned]
        channel = listed(sorted({*before, *returned}))
        self._writer.put_fact(channels.FACT, channels.with_channel(facts, channel))


class _Work:
    """One channel at work in one session."""

    def __init__(
        self,
        reader: Judge,
        questions: Iterator[Question],
        channel: Channel,
        todo: int,
        writer: RunStore,
        on_progress: Callable[[Progress], None],
    ) -> None:
        self._reader = reader
        self._questions = questions
        self._channel = channel
        self._todo = todo
        self._writer = writer
        self._on_progress = on_progress
        self._done = self._missing = 0
        self._stopping = False

    async def run(self, width: int, stop: Callable[[], None]) -> str | None:
        """Read until all is read, a limit is reached or the judge cannot be asked; gives why it stopped.

        When it is cancelled (Ctrl-C) no further call begins, and those under way get `GRACE` seconds to
        end and be stored.
        """
        workers = [asyncio.create_task(self._worker()) for _ in range(width)]
        try:
            if workers:
                await asyncio.wait(workers, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            self._stopping = True
            stop()
            if workers:
                await asyncio.wait(workers, timeout=GRACE)
            for worker in workers:
                worker.cancel()
            ends = await asyncio.gather(*workers, return_exceptions=True)
        reasons = [end for end in ends if isinstance(end, Exception)]
        for end in reasons:
            if not isinstance(end, LimitReachedError | llm_judge.JudgeStoppedError | StoppedError):
                raise end
        known = [str(end) for end in reasons if not isinstance(end, StoppedError)]
        return known[0] if known else None

    async def _worker(self) -> None:
        for question in self._questions:
            if self._stopping:
                return
            reading = await self._reader.read(question)
            await self._writer.append_reading(question.trial, question.turn, self._channel.identity, reading)
            self._done += 1
            self._missing += reading.stance is None
            self._on_progress(Progress(self._channel.name, self._done, self._todo, self._missing))


def _check(models: Sequence[str], given: Sequence[str]) -> None:
    if not models:
        raise InputError("give at least one judge: --with nli:NAME_OR_FOLDER or --with PROVIDER/MODEL")
    twice = [model for model, count in Counter(models).items() if count > 1]
    if twice:
        raise InputError(f"judge '{twice[0]}' is named twice; name each one once")
    if given and all(model.startswith(nli_judge.PREFIX) for model in models):
        raise InputError(f"{given[0]} has no effect on a cross-encoder; it is for language models")


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
