"""An OpenAI-compatible server on loopback that misbehaves by plan and counts every request.

The ledger is the independent history: tests compare it with what the run folder says.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Fault = Callable[[web.Request, dict[str, Any]], Any]


def completion(
    text: Any = "Fine.", finish: str | None = "stop", usage: Any = None, **more: Any
) -> dict[str, Any]:
    """The body of a normal answer."""
    body: dict[str, Any] = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "served-name",
        "choices": [{"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": text}}],
        "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
        if usage is None
        else usage,
    }
    body.update(more)
    return {name: value for name, value in body.items() if value != "absent"}


def error(status: int, message: str, headers: dict[str, str] | None = None, **more: Any) -> web.Response:
    """An error in the shape of OpenAI's."""
    body = {"error": {"message": message, "type": "error", **more}}
    return web.json_response(body, status=status, headers=headers)


def raw(text: str, content_type: str = "application/json") -> web.Response:
    """A body exactly as given."""
    return web.Response(text=text, content_type=content_type)


async def hang(_request: web.Request) -> web.Response:
    """No byte, for longer than any test waits."""
    await asyncio.sleep(60)
    return web.Response()


async def drip(request: web.Request) -> web.StreamResponse:
    """A byte now and then, for ever."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    for _ in range(600):
        await response.write(b" ")
        await asyncio.sleep(0.1)
    return response


async def cut(request: web.Request) -> web.StreamResponse:
    """The connection closes after 40 bytes of a longer body."""
    body = json.dumps(completion()).encode()
    response = web.StreamResponse(
        headers={"Content-Type": "application/json", "Content-Length": str(len(body))}
    )
    await response.prepare(request)
    await response.write(body[:40])
    assert request.transport is not None
    request.transport.close()
    return response


async def drop(request: web.Request) -> web.Response:
    """The connection closes without an answer."""
    assert request.transport is not None
    request.transport.close()
    return web.Response()


@dataclass
class FakeServer:
    """What to answer, and what was asked.

    Attributes:
        base: the URL to give as api_base.
        plan: answers of the next requests, in order; then `default` for ever.
        ledger: body of every request that arrived.
        headers: their headers.
        paths: their paths.
        peak: most requests under way at once.
    """

    base: str = ""
    plan: list[Any] = field(default_factory=list)
    default: Any = None
    ledger: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    peak: int = 0
    _now: int = 0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """One chat completion."""
        self.paths.append(request.path)
        body = await request.json()
        self.ledger.append(body)
        self.headers.append(dict(request.headers))
        self._now += 1
        self.peak = max(self.peak, self._now)
        try:
            step = self.plan.pop(0) if self.plan else self.default
            if step is None:
                step = completion(f"Reply {sum(m['role'] == 'user' for m in body['messages'])}.")
            if callable(step):
                step = step(request)
            if asyncio.iscoroutine(step):
                step = await step
            return web.json_response(step) if isinstance(step, dict) else step
        finally:
            self._now -= 1


@asynccontextmanager
async def serving(*plan: Any, default: Any = None, port: int = 0) -> AsyncIterator[FakeServer]:
    """A server for the length of a with block."""
    fake = FakeServer(plan=list(plan), default=default)
    app = web.Application(client_max_size=50_000_000)
    app.router.add_post("/{path:.*}", fake.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.2)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    fake.base = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    try:
        yield fake
    finally:
        await runner.cleanup()
