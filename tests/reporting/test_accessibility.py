"""No page has a serious fault that axe-core, a checker of accessibility, can find."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

from echosim.reporting import report, transcript_spool
from tests.reporting import cards, synthetic
from tests.reporting.test_report_browser import chromium

__all__ = ["chromium"]

pytestmark = pytest.mark.browser

AXE = "axe-core@4.11.0"
"""npm package, pinned: another version may find other faults."""


@pytest.fixture(scope="module")
def axe(tmp_path_factory) -> str:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip(f"npm is not installed, so {AXE} cannot be fetched")
    folder = tmp_path_factory.mktemp("axe")
    try:
        subprocess.run([npm, "pack", "--silent", AXE], cwd=folder, check=True, timeout=120)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        # A registry that cannot be reached says nothing about the page.
        pytest.skip(f"npm did not fetch {AXE}: {error}")
    (archive,) = folder.glob("*.tgz")
    with tarfile.open(archive) as packed:
        script = packed.extractfile("package/axe.min.js")
        assert script is not None
        return script.read().decode()


def made(folder: Path, **more: Any) -> Path:
    return report.write(
        folder,
        synthetic.study(turns=3),
        synthetic.board(),
        synthetic.curves(turns=3),
        synthetic.transcripts(targets=("sycophant", "corrector", "hedger"), turns=3),
        "0.0.test",
        card=cards.card(),
        agreement=cards.agreed(),
        survival=synthetic.survival(),
        **more,
    )


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("reports")
    whole = made(folder / "whole", sessions=synthetic.curves(turns=3))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transcript_spool, "ON_ONE_PAGE", 50)
        patch.setattr(transcript_spool, "A_PAGE", 40)
        index = made(folder / "index")
    return {"whole": whole, "index": index, "transcripts": index.parent / "transcripts" / "002.html"}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("name", ["whole", "index", "transcripts"])
def test_axe_finds_no_serious_fault(chromium, axe, pages, name, width, theme):
    chromium.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500},
    )
    chromium.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": theme}]}
    )
    try:
        chromium.get(pages[name].as_uri())
        chromium.execute_script(
            "[...document.querySelectorAll('details')].slice(0, 9).forEach(d => d.open = true)"
        )
        serious = faults(chromium, axe)
    finally:
        chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
        chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert not serious


def test_axe_finds_a_fault_that_is_there(chromium, axe, pages):
    chromium.get(pages["transcripts"].as_uri())
    chromium.execute_script("document.querySelector('main').append(document.createElement('img'))")
    assert [name for name, *_ in faults(chromium, axe)] == ["image-alt"]


def faults(browser: Any, axe: str) -> list[tuple[str, str, list[str]]]:
    """Id, meaning and first places of every serious fault of the page that is open."""
    browser.execute_script(axe)
    found = browser.execute_async_script(
        "const done = arguments[0];"
        "axe.run(document, {resultTypes: ['violations']}).then("
        " r => done(r.violations), e => done(String(e)))"
    )
    assert isinstance(found, list), found
    return [
        (one["id"], one["help"], [node["html"][:160] for node in one["nodes"][:3]])
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
