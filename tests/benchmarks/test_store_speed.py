"""What the store costs beside the calls, and how soon a big run is ready to go on. No pass or fail."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import pytest

RUNNING = Path(__file__).parents[1] / "running"
sys.path.insert(0, str(RUNNING))

import cast  # noqa: E402

from tests.running.test_store import STUDY, turn  # noqa: E402

pytestmark = pytest.mark.benchmark

CONVERSATIONS, TURNS = 5000, 12
REQUEST = "h" * 16
WORDS = "The bottom line is that the roof is loud and the rain is the same as it ever was here. " * 12
"""About 200 words, as a reply has them."""

READY = """
import asyncio, resource, sys, time
sys.path.insert(0, sys.argv[1])
import cast
from pathlib import Path
from echosim.running.batch import run_trials
study = cast.study("echosim/corrector", "echosim/sycophant", turns=12, seeds=tuple(range(2500)))
trials = cast.planned(study)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
begin = time.perf_counter()
with cast.opened(Path(sys.argv[2]), study) as store:
    opened = time.perf_counter() - begin
    summary = asyncio.run(run_trials(study, trials, store, cast.HashReader()))
most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(opened, time.perf_counter() - begin, before / 1024, most / 1024)
assert summary.complete == 5000
"""


async def filled(folder: Path) -> float:
    """A finished run of 5,000 conversations of 12 turns, written by 64 workers; seconds it took."""
    study = cast.study(
        "echosim/corrector", "echosim/sycophant", turns=TURNS, seeds=tuple(range(CONVERSATIONS // 2))
    )
    with cast.opened(folder, study) as store:
        todo = iter(cast.planned(study))

        async def work() -> None:
            for trial in todo:
                for n in range(1, TURNS + 1):
                    await store.append(trial.id, turn(n, reply=WORDS, user=WORDS))
                await store.finish(trial.id, "complete")

        begin = time.perf_counter()
        await asyncio.gather(*(work() for _ in range(64)))
        return time.perf_counter() - begin


def test_a_run_of_5000_finished_conversations_is_ready(tmp_path: Path, capsys) -> None:
    wrote = asyncio.run(filled(tmp_path / "run"))
    out = subprocess.run(
        [sys.executable, "-c", READY, str(RUNNING), str(tmp_path / "run")],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    opened, ended, before, most = map(float, out.split())
    size = sum(entry.stat().st_size for entry in (tmp_path / "run").iterdir())
    text = CONVERSATIONS * TURNS * 2 * len(WORDS)
    with capsys.disabled():
        print(
            f"\n{CONVERSATIONS:,} finished conversations of {TURNS} turns: open in {opened:.2f} s, "
            f"found finished in {ended:.2f} s, at most {most:.0f} MB ({before:.0f} before); written at "
            f"{CONVERSATIONS * TURNS / wrote:,.0f} turns/s; {size / text:.2f} bytes stored a byte of text"
        )


async def paced(folder: Path | None, conversations: int, seconds: float) -> tuple[float, float]:
    """Wall and CPU seconds of so many conversations of 12 calls of so long, with their rows stored or not."""
    from echosim.running.asking import Reply
    from echosim.running.budget import Call, Spent
    from echosim.running.kept_replies import Kept
    from echosim.running.outcomes import Attempt

    study = STUDY.model_copy(update={"seeds": tuple(range(conversations))})
    slots = asyncio.Semaphore(32)
    store = None if folder is None else cast.opened(folder, study)
    todo = iter(cast.planned(study))

    async def work() -> None:
        for trial in todo:
            for n in range(1, TURNS + 1):
                async with slots:
                    if store is not None:
                        call = Call(trial.id, "local", n, 1, REQUEST, Spent(1, 99, 9, 0))
                        place, _ = store.kept.ask(trial.id, REQUEST)
                        number = await store.intend(call)
                    await asyncio.sleep(seconds)
                    if store is not None:
                        kept = Kept(trial.id, place, REQUEST, Reply("ok", WORDS))
                        store.kept.keep(kept)
                        await store.settle(number, Attempt("ok", WORDS), Spent(1, 99, 9, 0), False, kept)
                held = turn(n, reply=WORDS, user=WORDS)  # which a run without a store makes as well
                if store is not None:
                    await store.append(trial.id, held)
            if store is not None:
                await store.finish(trial.id, "complete")

    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(work() for _ in range(64)))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    if store is not None:
        store.close()
    return wall, cpu


@pytest.mark.parametrize(("conversations", "seconds"), [(170, 0.05), (96, 0.32)])
def test_what_the_store_adds_to_calls(tmp_path: Path, capsys, conversations: int, seconds: float) -> None:
    """At 640 and at 100 turns a second.

    All calls take equally long and nothing else takes time, so 32 end at once and their rows stand in line:
    the worst case. A call is noted inside its slot, since what is noted must have been sent or be about to.
    """
    asyncio.run(paced(tmp_path / "warm", 4, seconds))
    pairs = [
        (
            asyncio.run(paced(None, conversations, seconds)),
            asyncio.run(paced(tmp_path / str(n), conversations, seconds)),
        )
        for n in range(3)
    ]
    bare, stored = (min(pair[i][0] for pair in pairs) for i in (0, 1))
    turns = conversations * TURNS
    cpu = min(pair[1][1] - pair[0][1] for pair in pairs) / turns
    with capsys.disabled():
        print(
            f"\n{turns:,} calls of {1000 * seconds:.0f} ms, 32 in flight: {bare:.2f} s bare, "
            f"{stored:.2f} s with the store ({100 * (stored / bare - 1):+.1f}% wall), "
            f"{1000 * cpu:.2f} ms of CPU a turn"
        )
    assert stored > 0
