"""What the report of 10,000 conversations of 20 turns costs to make and to open. No pass or fail."""

from __future__ import annotations

import asyncio
import functools
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from echosim.inputs import frozen_study, plan
from echosim.reporting import report
from echosim.running import store
from tests.reporting import synthetic
from tests.reporting.test_report_browser import chrome

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(1200)]

SEEDS, TURNS = 31, 20
"""9 targets x 36 personas x 31 seeds are 10,044 conversations."""

REPORT = """
import json, resource, sys, time
from echosim import api
run = api.open_run(sys.argv[1])
begin, work = time.perf_counter(), time.process_time()
page = api.report(run)
seconds, work = time.perf_counter() - begin, time.process_time() - work
print(json.dumps([seconds, work, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, str(page)]))
"""


async def hold(folder: Path, seeds: int = SEEDS, turns: int = TURNS) -> int:
    """A finished made-up run; how many conversations it has."""
    study = synthetic.study(turns=turns).model_copy(update={"seeds": tuple(range(1, seeds + 1))})
    trials = plan.trials(study, "synthetic")
    facts = {"reader": "synthetic", "encoder": "none", "version": "0", "date": "2026-01-01"}
    with store.open_run(folder, frozen_study.dump(study), trials, facts, lambda _: []) as writer:
        todo = iter(trials)
        talk = functools.cache(functools.partial(synthetic.transcript, turns=turns))

        async def work() -> None:
            for trial in todo:
                for turn in talk(trial.target, trial.family, trial.role).turns:
                    await writer.append(trial.id, turn)
                await writer.finish(trial.id, "complete")

        await asyncio.gather(*(work() for _ in range(256)))
    return len(trials)


def test_the_report_of_10000_conversations(tmp_path: Path, capsys) -> None:
    trials = asyncio.run(hold(tmp_path / "run"))
    out = subprocess.run(
        [sys.executable, "-c", REPORT, str(tmp_path / "run")], capture_output=True, text=True, check=True
    ).stdout
    wall, cpu, memory, page = json.loads(out.splitlines()[-1])
    files = list(Path(page).parent.rglob("*.html"))
    with capsys.disabled():
        print(
            f"\n{trials:,} conversations of {TURNS} turns: report in {wall:.1f} s ({cpu:.1f} s of CPU), "
            f"at most {memory:.0f} MB; {len(files)} HTML files, "
            f"{sum(file.stat().st_size for file in files) / 1e6:.0f} MB"
        )
        for path in (Path(page), sorted(files)[-1], one_file(tmp_path)):
            print(f"{path.name}, {path.stat().st_size / 1e6:.1f} MB: usable after {opens(path):.2f} s")


def one_file(folder: Path) -> Path:
    """The largest report that is one file: 1,000 conversations of 20 turns."""
    study = synthetic.study(turns=TURNS)
    talks = list(synthetic.transcripts(turns=TURNS))
    again = [
        one.model_copy(
            update={"trial": one.trial.model_copy(update={"id": f"{one.trial.id[:-1]}{n}", "seed": n})}
        )
        for n in range(4)
        for one in talks
    ][:1000]
    given = (study, synthetic.board(), synthetic.curves(turns=TURNS))
    return report.write(folder / "one", *given, again, "0.0.test")


def opens(page: Path) -> float:
    """Seconds until the page is drawn and its filters work; the middle one of three times."""
    browser = chrome()
    try:
        times = []
        for _ in range(3):
            browser.get("about:blank")
            begin = time.perf_counter()
            browser.get(page.as_uri())
            browser.execute_async_script(
                "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done()))"
            )
            times.append(time.perf_counter() - begin)
            assert not browser.find_element("id", "filter").get_property("hidden")
        return sorted(times)[1]
    finally:
        browser.quit()
