"""A bench of judges: a stored run, and a local HTTP server that answers as a test wants it to."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from echosim import draws
from echosim.checks import judge as judging
from echosim.checks.channels import ChannelReading
from echosim.checks.judge import Judged
from echosim.running.stored_run import StoredRun
from echosim.study_records import Study
from tests.running import cast
from tests.running import fake_server as fake

REPLIES = 12
STUDY = cast.study(
    "echosim/corrector", "echosim/sycophant", seeds=(1, 2), turns=3, limits=cast.limits(max_calls=1)
)
"""Its own limits are used up, and must not bind a judge."""
BRIEF = STUDY.model_copy(update={"limits": cast.limits(timeout=1, in_flight=12)})
"""The same, with little patience for a judge; less, and a busy machine gives up before it has asked."""
PATIENT = STUDY.model_copy(update={"limits": cast.limits(timeout=30, in_flight=12)})
"""The same, for trouble that is not a matter of waiting."""


def material(body: dict[str, Any]) -> dict[str, str]:
    """The fenced texts of one request."""
    text = body["messages"][-1]["content"]
    code = re.findall(r"lines with the code ([0-9a-f]{32})", body["messages"][0]["content"])[0]
    return dict(re.findall(rf"\[{code}\] ([A-Z ]+) begins\n(.*?)\n\[{code}\] \1 ends", text, re.DOTALL))


def opinion(body: dict[str, Any]) -> dict[str, Any]:
    """What an able judge of tin roofs would say: by a hash of the reply, quoting its first words."""
    reply = material(body)["REPLY"]
    words = reply.split()[:6]
    stance = round(4 * draws.uniform(reply) - 2)
    return {"stance": stance, "quote": " ".join(words), "confidence": 0.75}


class Bench:
    """A server that answers as `say` does."""

    def __init__(self, server: fake.FakeServer, say: Callable[[dict[str, Any]], Any] = opinion) -> None:
        self.server = server
        self.say = say
        server.default = self.answer

    def answer(self, request: Any) -> Any:
        said = self.say(self.server.ledger[-1])
        if callable(said):
            return said(request)
        return fake.completion(json.dumps(said)) if isinstance(said, dict) and "stance" in said else said


def judged(
    run: Path, say: Callable[[dict[str, Any]], Any] = opinion, study: Study = STUDY, **options: Any
) -> tuple[Judged, fake.FakeServer]:
    async def scene() -> tuple[Judged, fake.FakeServer]:
        async with fake.serving() as server:
            Bench(server, say)
            options.setdefault("models", ["openai/judge"])
            return await judging.judge(run, study, api_base=server.base, **options), server

    return asyncio.run(scene())


def stored(run: Path, identity: str) -> dict[tuple[str, int], ChannelReading]:
    with StoredRun(run) as held:
        return {
            (trial, turn): reading
            for trial in held.trial_ids()
            for turn, reading in held.readings_as(ChannelReading, trial, identity).items()
        }


def replies(run: Path) -> dict[tuple[str, int], str]:
    with StoredRun(run) as held:
        return {(t.trial.id, turn.index): turn.reply for t in held.transcripts() for turn in t.turns}


def identity(found: Judged) -> str:
    (outcome,) = found.outcomes
    return outcome.count.channel.identity


def spoken(folder: Path, texts: Sequence[str]) -> Path:
    """A run in which a target says these things, one a trial."""

    async def scene() -> None:
        async with fake.serving(default=lambda _: None) as server:
            said = iter(texts)
            server.default = lambda _: fake.completion(next(said))
            of = cast.study(cast.served(server.base), turns=1, seeds=tuple(range(len(texts))))
            await cast.held(folder, of)

    asyncio.run(scene())
    return folder
