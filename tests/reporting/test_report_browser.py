"""The page in a real Chromium: nothing runs but its own script, and people can use it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from echosim.reporting import report, transcript_spool
from tests.reporting import cards, synthetic
from tests.reporting.test_report import PAYLOADS, poisoned

pytestmark = pytest.mark.browser

CANARY = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Path:
    hostile = [poisoned(text) for text in (*PAYLOADS, CANARY)]
    transcripts = sorted([*synthetic.transcripts(), *hostile], key=lambda t: t.trial.id)
    return report.write(
        tmp_path_factory.mktemp("run") / "report",
        synthetic.study(),
        synthetic.board(),
        synthetic.curves(),
        transcripts,
        "0.0.test",
    )


def chrome() -> Any:
    """A headless Chromium; the test is skipped where there is none to drive."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    driver = shutil.which("chromedriver")
    if driver is None:
        pytest.skip("chromedriver is not installed")
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1440,1000"):
        options.add_argument(argument)
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=options, service=Service(executable_path=driver))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    browser = chrome()
    yield browser
    browser.quit()


@pytest.fixture
def opened(chromium, page) -> Any:
    chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    chromium.get("about:blank")
    chromium.get_log("browser")
    chromium.get_log("performance")
    chromium.get(page.as_uri())
    return chromium


def shown(browser: Any) -> list[str]:
    return browser.execute_script(
        "return [...document.querySelectorAll('details.trial')].filter(t => !t.hidden).map(t => t.dataset.id)"
    )


def choose(browser: Any, name: str, value: str) -> None:
    browser.execute_script(
        "const s = document.querySelector(`select[name=${arguments[0]}]`);"
        "s.value = arguments[1]; s.dispatchEvent(new Event('change'));",
        name,
        value,
    )


def test_no_error_no_dialog_no_request_no_foreign_script(opened):
    from selenium.common.exceptions import NoAlertPresentException

    for summary in opened.find_elements("css selector", "details.trial")[-40:]:
        opened.execute_script("arguments[0].open = true", summary)
    with pytest.raises(NoAlertPresentException):
        opened.switch_to.alert.accept()
    assert opened.get_log("browser") == []
    assert opened.title == "synthetic: Echo Capture leaderboard"
    assert opened.execute_script("return document.scripts.length") == 1
    requests = [
        entry["message"]
        for entry in opened.get_log("performance")
        if "Network.requestWillBeSent" in entry["message"]
    ]
    assert requests
    assert all('"url":"file:' in message or '"url":"data:' in message for message in requests)


def test_figures_are_drawn(opened):
    sizes = opened.execute_script(
        "return [...document.images].map(i => [i.complete, i.naturalWidth, i.getBoundingClientRect().width])"
    )
    assert len(sizes) == 3
    assert all(complete and natural > 300 and width > 500 for complete, natural, width in sizes)


def test_filters_and_their_combination(opened):
    everything = shown(opened)
    assert len(everything) == 324 + len(PAYLOADS) + 1
    sycophant = [t.trial.id for t in synthetic.transcripts(targets=("sycophant",))]
    choose(opened, "cell", "8")
    assert sorted(shown(opened)) == sorted(sycophant)
    choose(opened, "role", "mirror")
    assert len(shown(opened)) == 12
    assert opened.find_element("id", "filter-count").text == f"12 of {len(everything)} shown"
    opened.find_element("id", "filter-clear").click()
    assert shown(opened) == everything
    opened.find_element("id", "filter-id").send_keys(sycophant[0][:7])
    assert shown(opened) == [sycophant[0]]


def test_persona_that_looks_like_markup_can_be_chosen(opened):
    choose(opened, "persona", CANARY)
    assert shown(opened) == [CANARY]
    assert opened.title != "owned"


def test_a_deep_link_opens_its_turn_even_when_filtered_away(opened):
    choose(opened, "cell", "0")
    wanted = next(iter(synthetic.transcripts(targets=("sycophant",)))).trial.id
    opened.execute_script("location.hash = arguments[0]", f"#trial-{wanted}-turn-2")
    place = opened.find_element("id", f"trial-{wanted}-turn-2")
    opened.implicitly_wait(2)
    assert opened.execute_script("return arguments[0].closest('details').open", place)
    top = opened.execute_script("return arguments[0].getBoundingClientRect().top", place)
    assert 0 <= top < 400


def test_leaderboard_leads_to_the_conversations_of_a_cell(opened):
    opened.execute_script("document.querySelector('a[data-show-cell=\"1\"]').click()")
    assert len(shown(opened)) == 36
    assert opened.execute_script("return document.querySelector('select[name=cell]').value") == "1"


@pytest.mark.parametrize("width", [1440, 800, 390])
def test_page_does_not_scroll_sideways(opened, width):
    opened.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500},
    )
    opened.execute_script("document.querySelectorAll('details.trial')[0].open = true")
    wide, room = opened.execute_script(
        "const page = document.documentElement; return [page.scrollWidth, page.clientWidth]"
    )
    assert wide == room
    assert room <= width


@pytest.mark.parametrize("width", [1440, 390])
def test_the_leaderboard_fits(opened, width):
    opened.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500},
    )
    wide, room = opened.execute_script(
        "const card = document.querySelector('.board').parentElement; "
        "return [card.scrollWidth, card.clientWidth]"
    )
    assert wide == room


def test_details_open_with_the_keyboard(opened):
    from selenium.webdriver.common.keys import Keys

    summary = opened.find_element("css selector", "details.trial > summary")
    summary.send_keys(Keys.ENTER)
    assert opened.execute_script("return arguments[0].parentElement.open", summary)


def test_dark_theme_uses_the_dark_figures(opened):
    from selenium.webdriver.support.ui import WebDriverWait

    opened.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    )
    shown_light = "return [...document.images].map(i => i.currentSrc === i.src)"
    try:
        # The browser picks the other source some time after the medium changes.
        WebDriverWait(opened, 20).until(
            lambda page: page.execute_script(shown_light) == [False, False, False]
        )
    finally:
        opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


@pytest.fixture(scope="module")
def carded(tmp_path_factory) -> Path:
    """A page whose report card and other channels say nothing but a hostile text."""
    board = synthetic.board().model_copy(update={"reader": CANARY})
    transcript = synthetic.transcript(turns=2)
    found = cards.agreed(cards.disagreement(transcript.trial.id, 2, CANARY), text=CANARY)
    return report.write(
        tmp_path_factory.mktemp("carded") / "report",
        synthetic.study(),
        board,
        synthetic.curves(),
        [transcript],
        "0.0.test",
        card=cards.poisoned_card(CANARY),
        agreement=found,
    )


def test_the_report_card_runs_nothing_and_fits(chromium, carded):
    chromium.get("about:blank")
    chromium.get_log("browser")
    for width in (1280, 390):
        chromium.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500},
        )
        chromium.get(carded.as_uri())
        chromium.execute_script("document.querySelectorAll('details').forEach(d => { d.open = true; })")
        wide, room = chromium.execute_script(
            "const page = document.documentElement; return [page.scrollWidth, page.clientWidth]"
        )
        assert wide == room <= width
        results = chromium.execute_script(
            "return [...document.querySelectorAll('.result')].map(r => r.getBoundingClientRect().right)"
        )
        assert results
        assert all(right <= width for right in results)
    assert chromium.title == "synthetic: Echo Capture leaderboard"
    assert chromium.execute_script("return [document.scripts.length, document.images.length]") == [1, 6]
    assert chromium.get_log("browser") == []


@pytest.mark.parametrize("width", [1440, 390])
def test_neither_a_date_nor_an_interval_is_torn_apart(chromium, tmp_path, width):
    chromium.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500},
    )
    whole = report.write(
        tmp_path / "report",
        synthetic.study(),
        synthetic.board(),
        synthetic.curves(),
        [synthetic.transcript(turns=2)],
        "0.0.test",
        card=cards.card(),
        agreement=cards.agreed(),
    )
    chromium.get(whole.as_uri())
    lines = chromium.execute_script(
        """
        const found = [];
        for (const cell of document.querySelectorAll("section[aria-labelledby=measurement] td")) {
          const text = cell.firstChild;
          if (cell.childNodes.length !== 1 || text.nodeType !== Node.TEXT_NODE) continue;
          for (const part of text.data.matchAll(/\\d{4}-\\d\\d-\\d\\d|\\[.*?\\]/g)) {
            const range = document.createRange();
            range.setStart(text, part.index);
            range.setEnd(text, part.index + part[0].length);
            found.push([part[0], range.getClientRects().length]);
          }
        }
        return found;
        """
    )
    assert {text for text, _ in lines} >= {"2026-01-02", "[+0.40,\u00a0+0.80]"}
    assert all(count == 1 for _, count in lines), lines


def test_a_disagreement_leads_to_its_turn_and_the_pairs_open_with_the_keyboard(chromium, carded):
    from selenium.webdriver.common.keys import Keys

    chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    chromium.get(carded.as_uri())
    summary = chromium.find_element("css selector", "details.more > summary")
    summary.send_keys(Keys.ENTER)
    assert chromium.execute_script("return arguments[0].parentElement.open", summary)
    link = chromium.find_element("css selector", "section[aria-labelledby=measurement] a[href^='#trial-']")
    link.send_keys(Keys.ENTER)
    turn = chromium.find_element("css selector", ".turn:target")
    assert turn.get_attribute("id").endswith("-turn-2")
    assert chromium.execute_script("return arguments[0].closest('details').open", turn)


# --- a run that has pages of transcripts --------------------------------------------------------


@pytest.fixture(scope="module")
def index(tmp_path_factory) -> Path:
    hostile = [poisoned(text) for text in (*PAYLOADS, CANARY)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transcript_spool, "ON_ONE_PAGE", 100)
        patch.setattr(transcript_spool, "A_PAGE", 80)
        return report.write(
            tmp_path_factory.mktemp("big") / "report",
            synthetic.study(turns=2),
            synthetic.board(),
            synthetic.curves(turns=2),
            [*synthetic.transcripts(turns=2), *hostile],
            "0.0.test",
        )


@pytest.fixture
def indexed(chromium, index) -> Any:
    chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    chromium.get("about:blank")
    chromium.get_log("browser")
    chromium.get_log("performance")
    chromium.get(index.as_uri())
    return chromium


def found(browser: Any) -> list[str]:
    return browser.execute_script(
        "return [...document.querySelectorAll('#finds tr a')].map(a => a.textContent)"
    )


def test_every_page_of_a_big_run_runs_nothing_foreign(indexed, index):
    for page in [index, *sorted((index.parent / "transcripts").iterdir())]:
        indexed.get(page.as_uri())
        indexed.execute_script("document.querySelectorAll('details').forEach(d => { d.open = true; })")
        own = 2 if page == index else 1
        assert indexed.execute_script("return document.scripts.length") == own
        assert indexed.title.startswith("synthetic: ")
    assert indexed.get_log("browser") == []
    requests = [
        entry["message"]
        for entry in indexed.get_log("performance")
        if "Network.requestWillBeSent" in entry["message"]
    ]
    assert requests
    assert all('"url":"file:' in message or '"url":"data:' in message for message in requests)


def test_a_search_of_a_big_run_leads_to_the_conversation(indexed):
    total = 324 + len(PAYLOADS) + 1
    assert len(found(indexed)) == 100
    assert (
        indexed.find_element("id", "filter-count").text == f"{total} of {total} found, the first 100 listed"
    )
    choose(indexed, "cell", "8")
    choose(indexed, "role", "mirror")
    assert indexed.find_element("id", "filter-count").text == f"12 of {total} found"
    wanted = found(indexed)[3]
    indexed.find_element("link text", wanted).click()
    assert "/transcripts/" in indexed.current_url
    place = indexed.find_element("id", f"trial-{wanted}")
    assert place.get_property("open")


def test_a_deep_link_of_a_big_run_goes_on_to_its_page(indexed, index):
    wanted = next(iter(synthetic.transcripts(targets=("sycophant",)))).trial.id
    indexed.get(f"{index.as_uri()}#trial-{wanted}-turn-2")
    indexed.refresh()
    turn = indexed.find_element("css selector", ".turn:target")
    assert turn.get_attribute("id") == f"trial-{wanted}-turn-2"
    assert "/transcripts/" in indexed.current_url


def test_a_worst_case_of_a_big_run_opens_and_the_board_leads_to_its_cell(indexed):
    indexed.execute_script("document.querySelector('a[data-show-cell=\"1\"]').click()")
    assert indexed.find_element("id", "filter-count").text.startswith("36 of ")
    link = indexed.find_element("css selector", "section[aria-labelledby=worst] a")
    trial = link.get_attribute("href").partition("#")[2]
    link.click()
    assert indexed.find_element("id", trial).get_property("open")


@pytest.mark.parametrize("width", [1440, 390])
def test_pages_of_a_big_run_do_not_scroll_sideways(indexed, index, width):
    indexed.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500},
    )
    for page in (index, index.parent / "transcripts" / "002.html"):
        indexed.get(page.as_uri())
        indexed.execute_script("document.querySelectorAll('details').forEach(d => { d.open = true; })")
        wide, room = indexed.execute_script(
            "const page = document.documentElement; return [page.scrollWidth, page.clientWidth]"
        )
        assert wide == room <= width
