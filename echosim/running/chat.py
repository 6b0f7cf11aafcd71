"""One question to one target, through litellm; the only file that touches it.

One owner of retries (this file): an attempt is one HTTP request with its own deadline, and litellm
is told never to retry. Reference targets take the same path, as a litellm provider named `echosim`.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import tenacity

from echosim import draws, registry
from echosim.errors import InputError
from echosim.protocols import Message, ReferenceTarget, TargetRequest
from echosim.records import Outcome
from echosim.running.budget import Budget, Call, CallLog, Spent, call, likely_tokens, worst_prompt
from echosim.running.outcomes import Attempt, from_answer, from_error, redact
from echosim.study_records import Limits, TargetSpec

ATTEMPTS = 3
_LONGEST_PAUSE = 60.0
"""Seconds: no Retry-After and no backoff is waited for longer."""
_NO_KEY = "none"
"""Sent to an api_base for which no key is named, so that no key of the environment is."""
_SECRET_NAMES = ("_KEY", "_TOKEN", "_SECRET", "_PASSWORD")


@dataclass(frozen=True, slots=True)
class Reply:
    """What a target said, after as many attempts as it took.

    Attributes:
        outcome: type of the last attempt.
        text: the words; "" unless outcome is ok or truncated.
        flags: what was done to them ("truncated", "cleaned", "cut", "usage_estimated").
        returned_model: model name that the provider reported.
        prompt_tokens: of all attempts, as billed or estimated; 0 for reference targets.
        completion_tokens: likewise.
        attempts: requests made; 0 where the target was known to be out of order.
        detail: why there is no text, redacted, one line.
    """

    outcome: Outcome
    text: str = ""
    flags: tuple[str, ...] = ()
    returned_model: str | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    attempts: int = 1
    detail: str = ""


class StoppedError(Exception):
    """The run was asked to stop before this call began."""


@dataclass(slots=True)
class _Endpoint:
    """What all targets behind one server share: room for calls, and pauses that it asked for."""

    slots: asyncio.Semaphore
    resume_at: float = 0.0


@dataclass(slots=True)
class _Gate:
    """The first call to a target goes alone: a wrong key is then found once, not a thousand times."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    open: bool = False
    out_of_order: str | None = None


class Chat:
    """Asks targets; belongs to one event loop and one run.

    Args:
        limits: calls in flight per endpoint and seconds per attempt.
        budget: bounds of the run; none by default.
        log: where paid calls are noted; nowhere by default.
    """

    def __init__(self, limits: Limits, budget: Budget | None = None, log: CallLog | None = None) -> None:
        self._limits = limits
        self._budget = budget or Budget(limits, ())
        self._log = log
        self._endpoints: dict[str, _Endpoint] = {}
        self._gates: dict[str, _Gate] = {}
        self._stopping = asyncio.Event()
        self._http: Any = None

    def stop(self) -> None:
        """Start no further call; those under way go on."""
        self._stopping.set()

    async def close(self) -> None:
        """Let go of the connections."""
        if self._http is not None:
            await self._http.close()
            self._http = None

    async def ask(
        self,
        target: TargetSpec,
        request: TargetRequest,
        system_prompt: str | None = None,
        *,
        trial: str = "",
    ) -> Reply:
        """Ask for the next reply; what goes wrong at the provider is a `Reply` without text.

        A reference target sees the system prompt as the first of `request.messages`.

        Args:
            target: whom to ask.
            request: the conversation so far.
            system_prompt: what the arm says first, after the target's own system prompt.
            trial: id of the trial, for the call log.

        Raises:
            LimitReachedError: the budget does not allow this call.
            StoppedError: the run is being stopped.
            StorageError: the call could not be noted.
        """
        said_first = "\n\n".join(text for text in (target.system_prompt, system_prompt) if text)
        messages = (Message("system", said_first), *request.messages) if said_first else request.messages
        if target.is_reference:
            if self._stopping.is_set():
                raise StoppedError
            return await self._ask_reference(target, request, messages)
        gate = self._gates.setdefault(target.label, _Gate())
        if not gate.open:
            async with gate.lock:
                if not gate.open:
                    reply, last = await self._ask_paid(target, request, messages, trial)
                    gate.open = True
                    if last.outcome == "fatal":
                        gate.out_of_order = reply.detail
                    return reply
        if gate.out_of_order is not None:
            return Reply("fatal", attempts=0, detail=gate.out_of_order)
        reply, last = await self._ask_paid(target, request, messages, trial)
        if last.stops_target:
            gate.out_of_order = reply.detail
        return reply

    async def _ask_reference(
        self, target: TargetSpec, request: TargetRequest, messages: Sequence[Message]
    ) -> Reply:
        seen = TargetRequest(request.sheet, request.sides, messages, request.key, request.bank)
        try:
            answer = await _litellm().acompletion(
                model=target.model, messages=_plain(messages), max_retries=0, echosim_request=seen
            )
        except Exception as error:
            return Reply("fatal", detail=f"{target.model} broke: {redact(str(error))}")
        attempt = from_answer(answer)
        return Reply(attempt.outcome, attempt.text, attempt.flags, detail=attempt.detail)

    async def _ask_paid(
        self, target: TargetSpec, request: TargetRequest, messages: Sequence[Message], trial: str
    ) -> tuple[Reply, Attempt]:
        worst = call(target, worst_prompt(messages), target.max_tokens)
        fingerprint = draws.key(target.model, *(part for m in messages for part in (m.role, m.content)))
        bill, estimated = Spent(), False
        made: list[Attempt] = []

        async def attempt() -> None:
            nonlocal bill, estimated
            note = Call(trial, target.label, request.turn, len(made) + 1, fingerprint, worst)
            result, used, estimated = await self._one_request(target, messages, note)
            bill += used
            made.append(result)

        await tenacity.AsyncRetrying(
            stop=tenacity.stop_after_attempt(ATTEMPTS),
            retry=lambda state: len(made) == state.attempt_number and _worth_another(made),
            wait=lambda _: _backoff(request, made),
            sleep=self._pause,
            retry_error_callback=lambda _: None,
        )(attempt)
        last = made[-1]
        reply = Reply(
            last.outcome,
            last.text,
            (*last.flags, "usage_estimated") if estimated and last.text else last.flags,
            last.returned_model,
            bill.prompt_tokens,
            bill.completion_tokens,
            bill.calls,
            last.detail,
        )
        return reply, last

    async def _one_request(
        self, target: TargetSpec, messages: Sequence[Message], note: Call
    ) -> tuple[Attempt, Spent, bool]:
        """One attempt: reserve, note, ask, note, settle. Also gives what it used and if that is a guess."""
        name = target.api_base or target.model.partition("/")[0]
        endpoint = self._endpoints.setdefault(name, _Endpoint(asyncio.Semaphore(self._limits.in_flight)))
        while (left := endpoint.resume_at - asyncio.get_running_loop().time()) > 0:
            await self._pause(left)
        async with endpoint.slots:
            if self._stopping.is_set():
                raise StoppedError
            await self._budget.reserve(note.worst)
            used = note.worst
            try:
                number = await self._log.intend(note) if self._log else 0
                attempt = await self._request(target, messages)
                used, estimated = _used(target, messages, attempt, note.worst)
                if self._log:
                    await self._log.settle(number, attempt, used, estimated)
            finally:
                await self._budget.settle(note.worst, used)
        if attempt.retry_after is not None:
            pause = min(attempt.retry_after, _LONGEST_PAUSE)
            endpoint.resume_at = max(endpoint.resume_at, asyncio.get_running_loop().time() + pause)
        return attempt, used, estimated

    async def _request(self, target: TargetSpec, messages: Sequence[Message]) -> Attempt:
        litellm = _litellm()
        secrets = _secrets(target)
        options: dict[str, Any] = {
            "model": target.model,
            "messages": _plain(messages),
            "max_tokens": target.max_tokens,
            "max_retries": 0,
            "timeout": self._limits.timeout,
        }
        if target.temperature is not None:
            options["temperature"] = target.temperature
        if target.top_p is not None:
            options["top_p"] = target.top_p
        if target.api_key_env is not None:
            options["api_key"] = os.environ.get(target.api_key_env, _NO_KEY)
        if target.api_base is not None:
            options["api_base"] = target.api_base
            options.setdefault("api_key", _NO_KEY)
            if target.model.startswith("openai/"):
                options["model"] = "hosted_vllm/" + target.model.removeprefix("openai/")
                options["client"] = self._own_http()
        try:
            async with asyncio.timeout(self._limits.timeout):
                answer = await litellm.acompletion(**options)
        except TimeoutError:
            detail = f"no whole answer within {self._limits.timeout:g} s"
            return Attempt("transient", detail=detail, may_be_billed=True)
        except Exception as error:
            return from_error(error, secrets)
        return from_answer(answer, secrets)

    def _own_http(self) -> Any:
        """litellm's aiohttp transport, but following no redirect: a key goes to the host it is for."""
        if self._http is None:
            from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler

            self._http = AsyncHTTPHandler(follow_redirects=False)
        return self._http

    async def _pause(self, seconds: float) -> None:
        """Sleep, but not into a stop."""
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return
        raise StoppedError


def check_targets(targets: Iterable[TargetSpec]) -> None:
    """Find out before the first call what would stop a target anyway; calls nobody.

    Raises:
        InputError: no such provider, or a key that is named or needed is not in the environment.
        PluginError: no such reference target.
    """
    for target in targets:
        if target.is_reference:
            registry.load("target", target.model.removeprefix("echosim/"))
        elif target.api_key_env is not None:
            if not os.environ.get(target.api_key_env):
                raise InputError(
                    f"target '{target.label}': set {target.api_key_env} in the environment to its key"
                )
        elif target.api_base is None:
            litellm = _litellm()
            try:
                litellm.get_llm_provider(target.model)
            except Exception:
                raise InputError(
                    f"target '{target.label}': model '{target.model}' has no provider; write "
                    "provider/name as in openai/gpt-4o-mini, or give api_base"
                ) from None
            missing = litellm.validate_environment(target.model)["missing_keys"]
            if missing:
                raise InputError(
                    f"target '{target.label}': set {' and '.join(missing)} in the environment, or name the "
                    "variable that holds the key as api_key_env"
                )


@functools.cache
def _litellm() -> Any:
    """litellm, imported on first use, with nothing that calls out by itself."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    import litellm
    from litellm.llms.custom_llm import CustomLLM
    from litellm.utils import custom_llm_setup

    class ReferenceProvider(CustomLLM):
        """Answers `echosim/NAME` by the plugin of that name."""

        async def acompletion(self, *_: Any, **call: Any) -> Any:
            request: TargetRequest = call["optional_params"]["echosim_request"]
            answer = call["model_response"]
            answer.model = call["model"]
            answer.choices[0].message.content = _reference(call["model"]).reply(request)
            return answer

    litellm.telemetry = False
    litellm.suppress_debug_info = True
    for hooks in ("callbacks", "input_callback", "success_callback", "failure_callback"):
        setattr(litellm, hooks, [])
    logging.getLogger("LiteLLM").setLevel(logging.CRITICAL)
    litellm.custom_provider_map.append({"provider": "echosim", "custom_handler": ReferenceProvider()})
    custom_llm_setup()  # type: ignore[no-untyped-call]
    return litellm


@functools.cache
def _reference(name: str) -> ReferenceTarget:
    target: ReferenceTarget = registry.load("target", name)
    return target


def _plain(messages: Sequence[Message]) -> list[dict[str, str]]:
    return [{"role": message.role, "content": message.content} for message in messages]


def _secrets(target: TargetSpec) -> list[str]:
    """Values that no error text may show; the longest first, since one may be part of another."""
    named = [value for name, value in os.environ.items() if name.upper().endswith(_SECRET_NAMES)]
    if target.api_key_env is not None:
        named.append(os.environ.get(target.api_key_env, ""))
    return sorted(filter(None, named), key=len, reverse=True)


def _used(
    target: TargetSpec, messages: Sequence[Message], attempt: Attempt, worst: Spent
) -> tuple[Spent, bool]:
    """What an attempt cost, and whether that is a guess."""
    prompt, completion = attempt.prompt_tokens, attempt.completion_tokens
    if prompt is not None and completion is not None:
        return call(target, prompt, completion), False
    if attempt.text:
        prompt = sum(likely_tokens(message.content) for message in messages)
        return call(target, prompt, likely_tokens(attempt.text)), True
    return (worst, True) if attempt.may_be_billed else (call(target, 0, 0), False)


def _worth_another(made: Sequence[Attempt]) -> bool:
    outcome = made[-1].outcome
    return outcome in ("transient", "malformed") or (outcome == "empty" and len(made) == 1)


def _backoff(request: TargetRequest, made: Sequence[Attempt]) -> float:
    """Seconds to the next attempt: 0.5, 1, 2, ... times 0.5 to 1.5, or as long as was asked for."""
    jitter = 0.5 + draws.uniform(request.key, request.turn, len(made), "backoff")
    own: float = 0.5 * 2 ** (len(made) - 1) * jitter
    return min(max(own, made[-1].retry_after or 0.0), _LONGEST_PAUSE)
