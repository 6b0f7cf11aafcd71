"""The users' card, dividers and closing lines in a real Chromium: nothing runs, nothing sticks out."""

from __future__ import annotations

import pytest

from echosim.records import Report
from echosim.reporting import report
from echosim.study_records import UserSpec
from tests.reporting import synthetic
from tests.reporting.test_report_browser import CANARY, chromium
from tests.reporting.test_stamps import changed, in_sessions, person

__all__ = ["chromium"]
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    users = tuple(UserSpec(engine="embedded", label=f"{CANARY}{n}") for n in range(3))
    talks = []
    for number, user in enumerate(users):
        one = changed(in_sessions(CANARY + "w" * 300), 1, user=CANARY, user_flags=(CANARY, "fallback"))
        one = changed(one, 0, flags=("frozen",), report=Report(private=None, public=0.5, reason=CANARY))
        trial = one.trial.model_copy(update={"user": user.label, "id": f"t{number}"})
        talks.append(one.model_copy(update={"trial": trial}))
    study = synthetic.study().model_copy(update={"users": users, "personas": (person(5, "teen_13_17"),)})
    folder = tmp_path_factory.mktemp("users") / "report"
    return report.write(
        folder, study, synthetic.board(), (), talks, "0.0.test", sessions=synthetic.curves(turns=2)
    )


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_fits_and_runs_nothing(chromium, page, width, theme):
    chromium.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500},
    )
    chromium.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": theme}]}
    )
    chromium.get("about:blank")
    chromium.get_log("browser")
    chromium.get(page.as_uri())
    chromium.execute_script("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    wide, room = chromium.execute_script(
        "const page = document.documentElement; return [page.scrollWidth, page.clientWidth]"
    )
    assert wide == room <= width
    beyond = chromium.execute_script(
        """
        const right = (one) => one.getBoundingClientRect().right;
        return [...document.querySelectorAll(".gap, .gap .say, .closing, .stamp, .result")]
          .filter((one) => right(one) > document.documentElement.clientWidth).length;
        """
    )
    assert beyond == 0
    assert chromium.execute_script("return document.querySelectorAll('.result').length") == 26
    assert chromium.execute_script("return document.querySelectorAll('.closing').length") == 3
    assert chromium.title == "synthetic: Echo Capture leaderboard"
    assert chromium.execute_script("return document.scripts.length") == 1
    assert chromium.get_log("browser") == []
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
