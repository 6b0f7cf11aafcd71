"""A run's progress on stderr: what is said, how often, and on which kinds of terminals."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echosim.cli.pace import Pace, spoken
from echosim.cli.progress import lines, progress, words
from echosim.running.batch import Progress


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


# --- pace ---------------------------------------------------------------------------------------


def test_pace_is_that_of_the_last_minutes() -> None:
    clock = Clock()
    pace = Pace(clock)
    assert pace.rate() is pace.left(10) is None
    for turns in range(0, 1001, 10):
        pace.see(turns)
        clock.now += 1
    assert pace.rate() == pytest.approx(10, rel=0.02)
    assert pace.left(600) == pytest.approx(60, rel=0.02)
    for turns in range(1000, 1301):
        pace.see(turns)
        clock.now += 1
    assert pace.rate() == pytest.approx(1, rel=0.02)


def test_a_stall_makes_the_rest_longer() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.see(0)
    clock.now += 10
    pace.see(100)
    before = pace.left(100)
    clock.now += 30
    assert before == pytest.approx(10)
    assert pace.left(100) == pytest.approx(40)


@given(st.lists(st.tuples(st.floats(0, 1000), st.integers(0, 50)), max_size=60), st.integers(0, 10**6))
def test_no_time_is_negative_and_no_rate_is_nothing(steps: list[tuple[float, int]], left: int) -> None:
    clock = Clock()
    pace, turns = Pace(clock), 0
    for seconds, more in steps:
        clock.now += seconds
        turns += more
        pace.see(turns)
        rate, rest = pace.rate(), pace.left(left)
        assert (rate is None) == (rest is None)
        assert rate is None or rate > 0
        assert rest is None or rest >= 0
        assert len(pace._seen) <= 250


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "1 s"), (59.4, "59 s"), (60, "1 min"), (3500, "58 min"), (3600, "1 h"), (11_100, "3 h 5 min")],
)
def test_times_as_people_say_them(seconds: float, said: str) -> None:
    assert spoken(seconds) == said


# --- words --------------------------------------------------------------------------------------


def at(turns: int, **more: Any) -> Progress:
    return Progress(planned=20, done=turns // 10, turns=turns, left=200 - turns, **more)


def test_all_that_is_said() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.see(0)
    clock.now += 10
    pace.see(80)
    now = at(80, calls=90, cost=1.234, failures=(("transient", 2), ("refused", 1)))
    assert words(now, pace) == "80 turns, 8.0 turns/s, 90 calls, $1.23, 15 s left; 2 transient, 1 refused"
    assert words(at(80, calls=90, cost=None), pace) == "80 turns, 8.0 turns/s, 90 calls, 15 s left"
    assert words(at(80, calls=1, cost=0.001), pace) == "80 turns, 8.0 turns/s, 1 call, under $0.01, 15 s left"
    assert words(at(80), Pace(clock)) == "80 turns"


# --- lines --------------------------------------------------------------------------------------


def test_a_line_every_tenth_and_every_minute(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    tell = lines(clock)
    for turns in range(201):
        tell(at(turns))
        clock.now += 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 11  # a tenth takes less than a minute
    assert said[0] == "0 of 20 trials, 0 turns"
    assert said[5] == "10 of 20 trials, 100 turns, 1.0 turns/s, 2 min left"
    slow = lines(clock)
    for turns in range(21):
        slow(at(turns))
        clock.now += 50
    assert len(capsys.readouterr().err.splitlines()) >= 9


def test_quiet_is_quiet() -> None:
    with progress(quiet=True) as tell:
        assert tell is None


# --- terminals ----------------------------------------------------------------------------------

SCRIPT = """
import sys
from echosim.cli.errors import _spell_out_what_a_terminal_lacks
from echosim.cli.progress import progress
from echosim.running.batch import Progress
_spell_out_what_a_terminal_lacks()
with progress(quiet=False) as tell:
    tell(Progress(27, 0, 0, preparing=(1, 3)))
    for done in range(28):
        tell(Progress(27, done, 8 * done, (("transient[red]\\u00fc\\u2026", 2),)))
print("end")
"""


def on_a_terminal(**environment: str) -> tuple[int, str, str]:
    """Exit code, stdout, and what a terminal of 120 columns saw on stderr."""
    seen, end = pty.openpty()
    base = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "TERM", "CI")}
    env = {**base, "TERM": "xterm-256color", "COLUMNS": "120", **environment}
    done = subprocess.Popen([sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, stderr=end, env=env)
    os.close(end)
    screen = b""
    while True:
        try:
            got = os.read(seen, 65536)
        except OSError:  # the other end is closed
            break
        if not got:
            break
        screen += got
    os.close(seen)
    out = done.communicate()[0].decode()
    return done.returncode, out, screen.decode("utf-8", "replace")


def test_a_bar_on_a_terminal() -> None:
    code, out, screen = on_a_terminal()
    assert (code, out) == (0, "end\n")
    assert "27/27" in screen
    assert "216 turns; 2 transient[red]ü…" in screen
    assert "\x1b[38;" in screen or "\x1b[3" in screen
    assert screen.rstrip().endswith("\x1b[?25h")  # the cursor is back


def test_no_color_is_heeded() -> None:
    code, _, screen = on_a_terminal(NO_COLOR="1")
    assert code == 0
    assert "27/27" in screen
    assert "\x1b[3" not in screen


def test_a_dumb_terminal_gets_lines() -> None:
    code, _, screen = on_a_terminal(TERM="dumb")
    assert code == 0
    assert "27 of 27 trials, 216 turns" in screen
    assert "\x1b" not in screen


def test_an_ascii_terminal_gets_escapes() -> None:
    code, out, screen = on_a_terminal(PYTHONIOENCODING="ascii", PYTHONUTF8="0", LC_ALL="C")
    assert (code, out) == (0, "end\n")
    assert "27/27" in screen
    assert r"transient[red]\xfc\u2026" in screen
    assert screen.isascii()


def test_a_closed_stderr_stops_nothing() -> None:
    for closing in ("2>&-", "2> /dev/full", "2> >(exit 0)"):
        done = subprocess.run(
            ["bash", "-c", f'"$0" -c "$1" {closing}', sys.executable, SCRIPT],
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout) == (0, "end\n"), closing
