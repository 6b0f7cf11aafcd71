"""One request to one model, through litellm; the only file that touches it.

litellm is told never to retry, follows no redirect, and calls nobody but the model. Reference targets take
the same path, as a litellm provider named `echosim`.
"""

from __future__ import annotations

import asyncio
import functools
import gc
import logging
import os
import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from echosim import registry
from echosim.errors import InputError
from echosim.inputs.secret_text import keep_secret, secret_values
from echosim.protocols import Message, ReferenceTarget, TargetRequest
from echosim.running.outcomes import Attempt, from_answer, from_error, redact
from echosim.running.tracing import keep_private
from echosim.study_records import TargetSpec

_NO_KEY = "none"
"""Sent to an api_base for which no key is named, so that no key of the environment is."""


class Wire:
    """The connections of one run; belongs to one event loop."""

    def __init__(self) -> None:
        self._http: Any = None
        self._secrets: list[str] | None = None

    async def ask(self, target: TargetSpec, messages: Sequence[Message], seconds: float) -> Attempt:
        """Make one HTTP request; whatever comes of it is typed.

        Args:
            target: a paid one.
            messages: what to send.
            seconds: to the end of the answer, whatever the server does.
        """
        if self._secrets is None:
            self._secrets = secret_values(os.environ)
        try:
            async with asyncio.timeout(seconds):
                answer = await _complete(**self._options(target, messages, seconds))
        except TimeoutError:
            detail = f"no whole answer within {seconds:.3g} s"
            return Attempt("transient", detail=detail, may_be_billed=True)
        except Exception as error:
            return from_error(error, self._secrets)
        return from_answer(answer, self._secrets)

    async def close(self) -> None:
        """Let go of the connections."""
        if self._http is not None:
            await self._http.close()
            self._http = None

    def _options(self, target: TargetSpec, messages: Sequence[Message], seconds: float) -> dict[str, Any]:
        options: dict[str, Any] = {
            "model": target.model,
            "messages": _plain(messages),
            "max_tokens": target.max_tokens,
            "max_retries": 0,
            "timeout": seconds,
        }
        if target.model.partition("/")[0] in _litellm().openai_compatible_providers:
            # Of some of them litellm drops `max_retries`, and then the openai SDK sends everything thrice.
            options["allowed_openai_params"] = ["max_retries"]
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
        return options

    def _own_http(self) -> Any:
        """litellm's aiohttp transport, closed with the run."""
        if self._http is None:
            from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler

            self._http = AsyncHTTPHandler(follow_redirects=False)
        return self._http


async def ask_reference(target: TargetSpec, request: TargetRequest, messages: Sequence[Message]) -> Attempt:
    """The answer of a built-in target.

    Args:
        target: which one.
        request: what was asked.
        messages: the same with what was said first.
    """
    seen = TargetRequest(request.sheet, request.sides, messages, request.key, request.bank)
    try:
        answer = await _complete(
            model=target.model, messages=_plain(messages), max_retries=0, echosim_request=seen
        )
    except Exception as error:
        return Attempt(
            "fatal", detail=f"{target.model} broke: {redact(str(error), secret_values(os.environ))}"
        )
    return from_answer(answer)


def check_targets(targets: Iterable[TargetSpec]) -> None:
    """Find out before the first call what would stop a target anyway; calls nobody.

    The keys that the targets name are secret from then on.

    Raises:
        InputError: no such provider, or a key that is named or needed is not in the environment.
        PluginError: no such reference target.
    """
    for target in targets:
        if target.is_reference:
            registry.load("target", target.model.removeprefix("echosim/"))
        elif target.api_key_env is not None:
            keep_secret(target.api_key_env)
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


async def _complete(**call: Any) -> Any:
    """`litellm.acompletion` without the books that it keeps of each call.

    What a call cost is told by `budget`, and who is told of it by `events`; litellm's own price look-up and
    log record would take 40% of a call's CPU and be thrown away.
    """
    litellm = _litellm()
    books = _no_books()(
        model=call["model"],
        messages=call["messages"],
        stream=False,
        call_type="acompletion",
        start_time=datetime.now(),
        litellm_call_id=str(uuid.uuid4()),
        function_id="",
        kwargs=call,
    )
    if "client" not in call:
        return await litellm.acompletion(litellm_logging_obj=books, **call)
    # By our own connections nothing is waited for before the request is sent (no cloud's login, no file), so
    # it is made ready here, and not in a thread of `acompletion`.
    try:
        return await litellm.completion(acompletion=True, litellm_logging_obj=books, **call)
    except Exception as error:
        raise litellm.exception_type(
            model=call["model"],
            custom_llm_provider=call["model"].partition("/")[0],
            original_exception=error,
            completion_kwargs=call,
            extra_kwargs={},
        ) from error


@functools.cache
def _no_books() -> Any:
    """litellm's record of a call, with nothing looked up and nobody told."""
    _litellm()
    from litellm.litellm_core_utils.litellm_logging import Logging

    class NoBooks(Logging):
        def response_cost_calculator(self, *_: Any, **__: Any) -> None:
            return None

        def should_run_logging(self, *_: Any, **__: Any) -> bool:
            return False

        def claim_async_success_log(self) -> bool:
            return False

    return NoBooks


@functools.cache
def _litellm() -> Any:
    """litellm, imported on first use, with nothing that calls out by itself."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    keep_private()
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
    _follow_no_redirect(litellm)
    litellm.custom_provider_map.append({"provider": "echosim", "custom_handler": ReferenceProvider()})
    custom_llm_setup()  # type: ignore[no-untyped-call]
    # What was imported for a run stays until its end: to look through it for garbage, again and again, would
    # take a quarter of a run's CPU.
    gc.collect()
    gc.freeze()
    return litellm


def _follow_no_redirect(litellm: Any) -> None:
    """A key goes to the host that it is for: httpx takes `Authorization` off on the way to another host,
    but no other header, and the providers' own (`x-api-key`, `api-key`, `x-goog-api-key`) went along.
    """
    from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler
    from litellm.llms.openai.common_utils import BaseOpenAILLM

    # Providers over litellm's own HTTP: its clients are made anew and cached in many places.
    AsyncHTTPHandler.__init__ = functools.partialmethod(  # type: ignore[method-assign, assignment]
        AsyncHTTPHandler.__init__, follow_redirects=False
    )
    made = litellm.module_level_aclient
    made.follow_redirects = made.client.follow_redirects = False
    # Providers over the openai SDK: one client for all.
    session: Any = BaseOpenAILLM._get_async_http_client()
    session.follow_redirects = False
    litellm.aclient_session = session


@functools.cache
def _reference(name: str) -> ReferenceTarget:
    target: ReferenceTarget = registry.load("target", name)
    return target


def _plain(messages: Sequence[Message]) -> list[dict[str, str]]:
    return [{"role": message.role, "content": message.content} for message in messages]
