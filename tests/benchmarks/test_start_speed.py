"""How soon the program is there. No pass or fail."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.benchmark

ROUNDS = 5
HEAVY = ("litellm", "langgraph", "torch", "sentence_transformers", "sklearn", "scipy", "matplotlib", "ray")
LOADED = f"import sys; print('loaded:', *[name for name in {HEAVY!r} if name in sys.modules])"
ASKED = {
    "import echosim": ["-c", f"import echosim; {LOADED}"],
    "echosim --help": [
        "-c",
        "import atexit, sys; sys.argv = ['echosim', '--help']; "
        f"atexit.register(lambda: exec({LOADED!r})); from echosim.cli import app; app()",
    ],
}


def once(args: list[str]) -> tuple[float, float, str]:
    """Wall and CPU seconds of a Python with these arguments, and the heavy libraries it loaded."""
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    out = subprocess.run([sys.executable, *args], capture_output=True, text=True, check=True).stdout
    wall, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu, out.rpartition("loaded:")[2].strip()


@pytest.mark.parametrize("name", ASKED)
def test_start(name: str, capsys) -> None:
    once(ASKED[name])
    found = [once(ASKED[name]) for _ in range(ROUNDS)]
    bare = statistics.median(once(["-c", "pass"])[1] for _ in range(ROUNDS))
    wall, cpu = (statistics.median(one[part] for one in found) for part in (0, 1))
    with capsys.disabled():
        print(
            f"\n{name}: {wall:.2f} s, {cpu:.2f} s of CPU (a bare Python {bare:.2f}); goal 0.5; heavy "
            f"libraries loaded: {found[0][2] or 'none'}"
        )
