"""What a run holds of conversations that are over, and of those that are alive. No pass or fail.

Each in a process of its own, whose resident memory and open files are what counts.
"""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import model_server
import same_calls

from echosim.protocols import TargetRequest
from echosim.records import Turn
from echosim.running import conversation, settings
from echosim.running.batch import Progress
from echosim.running.chat import Reply
from echosim.study_records import TargetSpec

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(1800)]

FIRST, MORE, TURNS = 500, 1000, 3
LIVE, LIVE_TURNS = 300, 20
WORDS = " ".join(model_server.SPOKEN[:120])


def resident() -> float:
    """Resident memory in MB."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def growth(base: str, folder: str) -> None:
    """Prints MB and open files after 500 conversations, and after 1,000 more."""
    marks = []

    def note(progress: Progress) -> None:
        if len(marks) < 2 and progress.done >= (FIRST, FIRST + MORE)[len(marks)]:
            marks.append((resident(), len(list(Path("/proc/self/fd").iterdir()))))

    study = same_calls.study(base, FIRST + MORE + 64, TURNS, 32)
    asyncio.run(same_calls.whole(Path(folder), study, note))
    print(*marks[0], *marks[1])


class Held:
    """Answers until the last turn, which it keeps waiting: so all are alive at their longest."""

    def __init__(self) -> None:
        self.waiting = 0

    async def ask(
        self, target: TargetSpec, request: TargetRequest, system_prompt: str | None = None, *, trial: str = ""
    ) -> Reply:
        await asyncio.sleep(0)
        if request.turn == LIVE_TURNS:
            self.waiting += 1
            await asyncio.Event().wait()
        return Reply("ok", f"{request.turn}. {trial} {WORDS}")


class Nowhere:
    """Stores nothing."""

    async def append(self, trial: str, turn: Turn) -> None:
        pass


async def alive(conversations: int) -> list[asyncio.Task[conversation.Ending]]:
    """So many conversations in their twentieth turn."""
    study = same_calls.study("http://127.0.0.1:1/v1", conversations, LIVE_TURNS, 4)
    made, held = settings.Settings(study, same_calls.NullReader()), Held()
    tasks = [
        asyncio.create_task(conversation.hold(trial, made.of(trial), held, Nowhere()))
        for trial in same_calls.cast.planned(study)
    ]
    while held.waiting < conversations:
        await asyncio.sleep(0.01)
    return tasks


def living() -> None:
    """Prints KB of one live conversation."""

    async def scene() -> float:
        first = await alive(20)
        before = resident()
        others = await alive(LIVE)
        taken = resident() - before
        for task in (*first, *others):
            task.cancel()
        await asyncio.gather(*first, *others, return_exceptions=True)
        return 1000 * taken / LIVE

    print(asyncio.run(scene()))


def told(*args: str) -> list[float]:
    """What this file prints, run as a program."""
    program = [sys.executable, __file__, *args]
    out = subprocess.run(program, capture_output=True, text=True, check=True).stdout
    return [float(word) for word in out.split()]


@pytest.fixture(scope="module")
def server() -> Iterator[model_server.Server]:
    with model_server.serving() as found:
        yield found


def test_conversations_that_are_over(server: model_server.Server, tmp_path: Path, capsys) -> None:
    before, files, after, files_after = told("growth", server.at("0"), str(tmp_path / "run"))
    with capsys.disabled():
        print(
            f"\n{FIRST} conversations of {TURNS} turns: {before:.0f} MB, {files:.0f} open files; {MORE:,} "
            f"more: {after - before:+.1f} MB (goal 5), {files_after - files:+.0f} open files (goal 0)"
        )


def test_conversations_that_are_alive(capsys) -> None:
    (each,) = told("living")
    with capsys.disabled():
        print(f"\na live conversation of {LIVE_TURNS} turns: {each:.0f} KB; goal 60")


if __name__ == "__main__":
    {"growth": growth, "living": living}[sys.argv[1]](*sys.argv[2:])
