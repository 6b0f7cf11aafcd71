"""Whether slots stay full, and whether a slow target holds up a fast one. No pass or fail.

How many calls were in flight is the server's own record.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import model_server
import same_calls

from echosim.study_records import TargetSpec

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(1800)]

SLOW, FAST = "1", "0.1"
"""Seconds of a call."""


def fsync(folder: Path) -> float:
    """Seconds until a few bytes are on this disc, as a median."""
    took = []
    with (folder / "bytes").open("wb") as file:
        for _ in range(20):
            file.write(b"." * 4096)
            file.flush()
            begin = time.perf_counter()
            os.fsync(file.fileno())
            took.append(time.perf_counter() - begin)
    return statistics.median(took)


@pytest.fixture(scope="module")
def server() -> Iterator[model_server.Server]:
    with model_server.serving() as found:
        yield found


def test_slots_are_full(server: model_server.Server, tmp_path: Path, capsys) -> None:
    """192 conversations of 4 turns by 32 slots; calls of half a second, so that the CPU is not the bound."""
    same_calls.measured("whole", server.at("0.5"), tmp_path, 192, 4, 32)
    seen = server.seen()
    assert seen.calls == 192 * 4
    with capsys.disabled():
        print(
            f"\n{seen.calls} calls of 0.5 s, 32 in flight: {seen.in_flight(32) / 32:.1%} of the slots in use "
            f"while work remained (goal 95%), {seen.connections} connections (goal 35); each call waits "
            f"for a row on disc, and one fsync takes {1000 * fsync(tmp_path):.1f} ms here"
        )


def test_wall_beside_a_bare_loop(server: model_server.Server, tmp_path: Path, capsys) -> None:
    """512 conversations of 5 turns by 128 slots; lognormal latency of median 1 s."""
    base = server.at("lognormal-1.0")
    ours = same_calls.measured("whole", base, tmp_path, 512, 5, 128).wall
    seen = server.seen()
    theirs = same_calls.measured("aiohttp", base, tmp_path, 512, 5, 128).wall
    with capsys.disabled():
        print(
            f"\n{seen.calls:,} calls of about 1 s, 128 in flight: {ours:.1f} s, bare aiohttp {theirs:.1f} s; "
            f"whole / bare {ours / theirs:.2f} (goal 1.10); "
            f"{seen.in_flight(128) / 128:.1%} of the slots in use"
        )


def test_a_slow_target_beside_a_fast_one(server: model_server.Server, tmp_path: Path, capsys) -> None:
    """40 conversations of 4 turns with each, 16 slots in all; and the fast one alone."""
    slow, fast = (
        TargetSpec(model=f"openai/{name}", label=name, api_base=server.at(seconds))
        for name, seconds in (("slow", SLOW), ("fast", FAST))
    )
    alone = same_calls.study(server.at(FAST), 40, 4, 16).model_copy(update={"targets": (fast,)})
    both = alone.model_copy(update={"targets": (slow, fast)})
    seen = []
    with asyncio.Runner() as runner:
        for name, study in (("warm", alone), ("alone", alone), ("both", both)):
            runner.run(same_calls.whole(tmp_path / name, study))
            seen.append(server.seen())
    _, by_itself, mixed = seen
    ends = {name: mixed.of(name).seconds for name in ("slow", "fast")}
    assert mixed.calls == 2 * 160
    with capsys.disabled():
        print(
            f"\n16 slots, calls of {FAST} and {SLOW} s: 160 fast calls took {ends['fast']:.1f} s beside the "
            f"slow ones and {by_itself.seconds:.1f} s alone; the slow ones took {ends['slow']:.1f} s"
        )
