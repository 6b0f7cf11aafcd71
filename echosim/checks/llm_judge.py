"""A language model as a channel: one question about one reply, through the same path as every model call."""

from __future__ import annotations

from collections.abc import Sequence

from echosim import draws
from echosim.checks import judge_prompt
from echosim.checks.channels import Channel, ChannelReading, Question
from echosim.errors import InputError
from echosim.inputs.document import shown
from echosim.inputs.endpoints import REFERENCE, api_base_fault, model_fault
from echosim.inputs.secret_text import masked
from echosim.protocols import Message, TargetRequest
from echosim.reading.sentences import split
from echosim.records import Side
from echosim.running.chat import Chat, Reply
from echosim.study_records import TargetSpec

MAX_TOKENS = 1000
"""Of an answer, unless given: a model that thinks aloud needs most of them for that."""
_ASK_AGAIN = frozenset({"transient", "malformed", "fatal"})
"""Outcomes that say nothing about the reply; the others are the judge's last word."""
_LEVELS = 2
"""The scale ends at -2 and 2."""


class JudgeStoppedError(Exception):
    """Every further question to this judge would fail likewise, as with a wrong key."""


class LanguageJudge:
    """One judge.

    Args:
        spec: model, address, sampling.
        chat: asks it; of the event loop that `read` runs in.
        nonce: secret of the run that is judged.
    """

    def __init__(self, spec: TargetSpec, chat: Chat, nonce: str) -> None:
        self._spec = spec
        self._chat = chat
        self._nonce = nonce
        self.returned: set[str] = set()
        """Model names that the provider reported."""

    async def read(self, question: Question) -> ChannelReading:
        """Its stance on one reply, or None with the reason; an unusable answer is asked for once more.

        Raises:
            JudgeStoppedError: this judge cannot be asked at all.
            LimitReachedError: the budget does not allow the call.
            StoppedError: the session is being stopped.
        """
        if not split(question.reply):
            return ChannelReading(stance=None, reason="the reply has no words")
        reason = ""
        for again in (False, True):
            reply = await self._ask(question, again)
            if reply.outcome not in ("ok", "truncated"):
                return ChannelReading(
                    stance=None,
                    reason=f"judge {reply.outcome}: {reply.detail}",
                    again=reply.outcome in _ASK_AGAIN,
                )
            answer = judge_prompt.parse(reply.text)
            if answer is not None:
                return _reading(answer, question.reply)
            cut = reply.outcome == "truncated"
            reason = "judge's answer was cut off" if cut else "judge gave no JSON object of the asked form"
        return ChannelReading(stance=None, reason=f"{reason}, twice")

    async def _ask(self, question: Question, again: bool) -> Reply:
        asked = judge_prompt.prompt(question, self._spec.label, self._nonce, again=again)
        holds: Side = 1
        request = TargetRequest(
            sheet=question.persona.fact_sheet(),
            sides=(holds,) * question.turn,  # tells the call log which turn it is about
            messages=(Message("user", asked.material),),
            key=draws.key(self._spec.label, question.trial, question.turn, again),
        )
        reply = await self._chat.ask(self._spec, request, asked.instructions, trial=question.trial)
        if reply.outcome == "fatal" and reply.attempts == 0:
            raise JudgeStoppedError(reply.detail)
        if reply.returned_model:
            self.returned.add(reply.returned_model)
        return reply


def spec_of(
    model: str,
    *,
    api_base: str | None = None,
    api_key_env: str | None = None,
    allow_http: bool = False,
    temperature: float | None = None,
    max_tokens: int = MAX_TOKENS,
) -> TargetSpec:
    """A judge as a call needs it; its label is the identity of its channel.

    Args:
        model: litellm model string; `openai/NAME` with `api_base`.
        api_base: address of an OpenAI-compatible server.
        api_key_env: variable that holds the key.
        allow_http: plain http to a host that is not this machine.
        temperature: 0 to 2; the provider's own where None.
        max_tokens: of an answer.

    Raises:
        InputError: what is wrong with which of them.
    """
    where = f"judge '{shown(masked(model))}'"
    if model.startswith(REFERENCE):
        raise InputError(f"{where}: a reference target cannot judge; name a model, or nli:NAME_OR_FOLDER")
    if fault := model_fault(model):
        raise InputError(f"judge: {fault}")
    if api_base is not None and (fault := api_base_fault(api_base, allow_http=allow_http)):
        raise InputError(f"{where}: --api-base {fault.replace('allow_http: true', '--allow-http')}")
    parts = (judge_prompt.VERSION, model, api_base, temperature, max_tokens)
    fields = {
        "model": model,
        "label": f"judge:{draws.key(*parts)[:16]}",
        "api_base": api_base,
        "api_key_env": api_key_env,
        "allow_http": allow_http,
        "temperature": temperature,
        "max_tokens": max_tokens,
    }
    try:
        return TargetSpec.model_validate(fields)
    except ValueError as error:
        faults = error.errors() if hasattr(error, "errors") else []
        words = [f"--{str(one['loc'][0]).replace('_', '-')}: {one['msg']}" for one in faults]
        raise InputError(f"{where}: {'; '.join(words)}") from None


def channel_of(spec: TargetSpec, date: str, returned: Sequence[str] = ()) -> Channel:
    """How a run lists this judge."""
    sampling = "default temperature" if spec.temperature is None else f"temperature {spec.temperature:g}"
    where = f", at {spec.api_base}" if spec.api_base else ""
    return Channel(
        identity=spec.label,
        name=spec.model,
        kind="judge",
        date=date,
        asked=f"{sampling}, at most {spec.max_tokens} tokens{where}",
        returned=tuple(sorted(returned)),
    )


def _reading(answer: judge_prompt.Answer, reply: str) -> ChannelReading:
    fault = judge_prompt.quote_fault(answer.quote, reply)
    if fault is not None:
        return ChannelReading(stance=None, reason=f"judge's quote is {fault}")
    return ChannelReading(stance=answer.stance / _LEVELS, quote=answer.quote, confidence=answer.confidence)
