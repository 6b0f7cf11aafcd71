"""What a turn costs as a conversation grows. No pass or fail."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import model_server
import same_calls

from echosim.protocols import TargetRequest
from echosim.running import conversation, run_folder, settings
from echosim.running.chat import Chat, Reply
from echosim.running.stored_run import StoredRun
from echosim.study_records import Limits, TargetSpec

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(1800)]

ROUNDS, CALLS = 5, 60
WORDS = " ".join(model_server.SPOKEN[:120])


@pytest.fixture(scope="module")
def server() -> Iterator[model_server.Server]:
    with model_server.serving() as found:
        yield found


async def calls(chat: Chat, base: str, messages: int) -> float:
    """CPU seconds of one call with so many messages."""
    target = same_calls.cast.served(base)
    request = same_calls.cast.request(*[WORDS] * (messages - 1), "And now?")
    begin = time.process_time()
    for _ in range(CALLS // 4):
        await asyncio.gather(*(chat.ask(target, request) for _ in range(4)))
    return (time.process_time() - begin) / CALLS


def test_a_call_with_a_long_history(server: model_server.Server, capsys) -> None:
    async def rounds() -> list[tuple[float, float]]:
        chat, base = Chat(Limits(in_flight=4)), server.at("0")
        await calls(chat, base, 2)
        found = [(await calls(chat, base, 200), await calls(chat, base, 2)) for _ in range(ROUNDS)]
        await chat.close()
        return found

    found = asyncio.run(rounds())
    ratios = sorted(long / short for long, short in found)
    short = statistics.median(one for _, one in found)
    with capsys.disabled():
        print(
            f"\na call with 200 messages / one with 2: {statistics.median(ratios):.2f} ({ratios[0]:.2f} to "
            f"{ratios[-1]:.2f}), {1000 * short:.2f} ms of CPU with 2; goal 2"
        )


class Scripted:
    """Answers without a call, so that what is left is graph, user and store."""

    async def ask(
        self, target: TargetSpec, request: TargetRequest, system_prompt: str | None = None, *, trial: str = ""
    ) -> Reply:
        await asyncio.sleep(0)
        return Reply("ok", f"{request.turn}. {WORDS}")


async def beside_the_calls(folder: Path, conversations: int, turns: int) -> float:
    """CPU seconds of a turn."""
    study = same_calls.study("http://127.0.0.1:1/v1", conversations, turns, 4)
    trials = same_calls.cast.planned(study)
    made = settings.Settings(study, same_calls.NullReader())
    with same_calls.cast.opened(folder, study) as store:
        begin = time.process_time()
        await asyncio.gather(
            *(conversation.hold(trial, made.of(trial), Scripted(), store) for trial in trials)
        )
        return (time.process_time() - begin) / (conversations * turns)


def test_a_turn_of_a_long_conversation(tmp_path: Path, capsys) -> None:
    asyncio.run(beside_the_calls(tmp_path / "warm", 4, 10))
    found = [
        (
            asyncio.run(beside_the_calls(tmp_path / f"{number} long", 4, 200)),
            asyncio.run(beside_the_calls(tmp_path / f"{number} short", 80, 10)),
        )
        for number in range(ROUNDS)
    ]
    ratios = sorted(long / short for long, short in found)
    short = statistics.median(one for _, one in found)
    with capsys.disabled():
        print(
            f"\nCPU of a turn beside its call, in conversations of 200 turns / of 10: "
            f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f}), {1000 * short:.2f} ms "
            "with 10; goal 1.1"
        )


def test_bytes_stored_over_the_text(server: model_server.Server, tmp_path: Path, capsys) -> None:
    """Turns of 240 words and the user's line; call rows and indexes counted, after a WAL checkpoint."""
    study = same_calls.study(server.at("0"), 30, 20, 16, model="tiny-240")
    asyncio.run(same_calls.whole(tmp_path / "run", study))
    path = tmp_path / "run" / run_folder.DATABASE
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with StoredRun(tmp_path / "run") as run:
        turns = [turn for found in run.transcripts() for turn in found.turns]
    text = sum(len(turn.user.encode()) + len(turn.reply.encode()) for turn in turns)
    with capsys.disabled():
        print(f"\n{len(turns)} turns: {path.stat().st_size / text:.2f} bytes stored a byte of text; goal 1.5")
