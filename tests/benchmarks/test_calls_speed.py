"""What the whole program costs beside the bare calls that it makes. No pass or fail.

CPU is that of the side's own process; the server has its own. Sides take turns, so that a busy machine hits
all, and a ratio is that of one round.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import model_server
import same_calls

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(1800)]

CONVERSATIONS, TURNS, IN_FLIGHT = 200, 10, 32
CALLS = CONVERSATIONS * TURNS
ROUNDS = 2
INSPECT = "ECHOSIM_INSPECT_PYTHON"
"""Environment variable: a Python that has inspect-ai 0.3.285, in an environment of its own."""
SPIRAL_BENCH = 20.4 / 5.3
"""CPU of a call of Spiral-Bench's own generation phase over that of bare litellm by `hosted_vllm/`, as once
measured on two quiet cores with calls of 50 ms, 32 in flight. Not measured here."""


@pytest.fixture(scope="module")
def server() -> Iterator[model_server.Server]:
    with model_server.serving() as found:
        yield found


def spread(ratios: Sequence[float]) -> str:
    """Median and range."""
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def inspect(python: str, base: str, folder: Path) -> same_calls.Cost:
    """The same conversations by Inspect AI, with its log on."""
    program = Path(__file__).parent / "inspect_calls.py"
    args = [python, str(program), base, str(folder / "lines.json"), str(IN_FLIGHT)]
    told = subprocess.run(args, capture_output=True, text=True, check=True, cwd=folder).stdout
    cpu, wall = map(float, told.split()[-2:])
    return same_calls.Cost(cpu, wall)


def test_cpu_of_a_call(server: model_server.Server, tmp_path: Path, capsys) -> None:
    base, python = server.at("0.05"), os.environ.get(INSPECT)
    found: dict[str, list[same_calls.Cost]] = defaultdict(list)
    at_once, connections = dict[str, float](), 0
    for number in range(ROUNDS):
        folder = tmp_path / str(number)
        for side in ("whole", "hosted_vllm", "openai"):
            found[side].append(same_calls.measured(side, base, folder, CONVERSATIONS, TURNS, IN_FLIGHT))
            seen = server.seen()
            assert seen.calls == CALLS
            at_once[side] = seen.in_flight(IN_FLIGHT)
            connections = seen.connections if side == "whole" else connections
        if python and number == 0:
            found["inspect"].append(inspect(python, base, folder))
            server.seen()

    def over(side: str) -> list[float]:
        return [ours.cpu / theirs.cpu for ours, theirs in zip(found["whole"], found[side], strict=False)]

    spiral = statistics.median(over("hosted_vllm")) / SPIRAL_BENCH
    with capsys.disabled():
        print(f"\n{CALLS:,} calls of 50 ms, {IN_FLIGHT} in flight, full history, {ROUNDS} rounds")
        for side, costs in found.items():
            each = statistics.median(1000 * cost.cpu / CALLS for cost in costs)
            print(f"  {side}: {each:.2f} ms of CPU a call, {statistics.median(c.wall for c in costs):.1f} s")
        print(f"  whole / bare litellm, same route: {spread(over('hosted_vllm'))}; goal 1.2")
        print(f"  whole / bare litellm, openai/: {spread(over('openai'))}; goal 0.9")
        if python:
            print(f"  whole / Inspect AI: {spread(over('inspect'))}; goal 0.4")
        else:
            print(f"  Inspect AI: not measured, {INSPECT} is not set")
        print(f"  whole / Spiral-Bench, by its anchor of an earlier measurement: {spiral:.2f}; goal 0.35")
        print(
            f"  the server saw {at_once['whole']:.1f} in flight, {at_once['hosted_vllm']:.1f} "
            f"of bare litellm's (CPU bounds both), and {connections} connections for {IN_FLIGHT} slots; "
            f"goal {1.1 * IN_FLIGHT:.0f}"
        )
