"""A report of more conversations than one file holds: where each stands, what leads there, what goes away."""

from __future__ import annotations

import itertools
import json
import re
import stat
from collections.abc import Iterable

import pytest

from echosim.reporting import report, transcript_spool
from echosim.reporting.transcript_spool import Entry, Spool
from tests.reporting import synthetic
from tests.reporting.test_report import PAYLOADS, Structure, _fake_figures, poisoned


@pytest.fixture(autouse=True)
def _small(monkeypatch) -> None:
    monkeypatch.setattr(report, "_write_figures", _fake_figures)
    monkeypatch.setattr(transcript_spool, "ON_ONE_PAGE", 50)
    monkeypatch.setattr(transcript_spool, "A_PAGE", 40)


def write(folder, transcripts: Iterable):
    return report.write(folder, synthetic.study(), synthetic.board(), (), transcripts, "0.0.test")


def trials_of(path) -> list[str]:
    return [value for _, name, value in Structure(path.read_text("utf-8")).values if name == "data-id"]


def index_of(page) -> dict:
    (block,) = re.findall(
        r'<script type="application/json" id="trials">(.*?)</script>', page.read_text("utf-8")
    )
    assert not set("<>&") & set(block)
    return json.loads(block)


def test_every_conversation_is_on_the_page_that_the_index_names(tmp_path):
    talks = list(synthetic.transcripts(turns=1))
    page = write(tmp_path, iter(talks))
    assert page == tmp_path / "index.html"
    found = index_of(page)
    on_pages = [trials_of(tmp_path / name) for name in found["pages"]]
    assert [len(trials) for trials in on_pages] == [40] * 8 + [4]
    assert sorted(itertools.chain(*on_pages)) == sorted(talk.trial.id for talk in talks)
    for trial, number, *_ in found["trials"]:
        assert trial in on_pages[number]
    assert trials_of(page) == []


def test_links_of_the_index_lead_to_a_conversation_that_is_there(tmp_path):
    page = write(tmp_path, synthetic.transcripts(turns=1))
    links = {value for _, name, value in Structure(page.read_text("utf-8")).values if name == "href"}
    led = [link.split("#") for link in links if "#trial-" in link]
    assert len(led) > 27  # the worst cases, and trials that did not complete
    for name, place in led:
        assert f'id="{place}"' in (tmp_path / name).read_text("utf-8")


def test_pages_lead_to_their_neighbours_and_back(tmp_path):
    write(tmp_path, synthetic.transcripts(turns=1))
    middle = (tmp_path / "transcripts" / "002.html").read_text("utf-8")
    for link in ("../index.html", "001.html", "003.html"):
        assert f'href="{link}"' in middle
    assert 'rel="prev"' not in (tmp_path / "transcripts" / "001.html").read_text("utf-8")
    assert 'rel="next"' not in (tmp_path / "transcripts" / "009.html").read_text("utf-8")
    assert stat.S_IMODE((tmp_path / "transcripts").stat().st_mode) == 0o700


def test_a_report_of_another_size_leaves_nothing_of_the_old_one(tmp_path):
    few = list(synthetic.transcripts(targets=("covert",), turns=1))
    write(tmp_path, synthetic.transcripts(turns=1))
    assert write(tmp_path, few) == tmp_path / "report.html"
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    write(tmp_path, synthetic.transcripts(turns=1))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index.html", "transcripts"]
    write(tmp_path, synthetic.transcripts(targets=("covert", "neutral"), turns=1))
    assert len(list((tmp_path / "transcripts").iterdir())) == 2


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_text_changes_no_element_of_index_and_pages(tmp_path, payload):
    rest = list(synthetic.transcripts(targets=("covert", "neutral"), turns=1))
    shapes = []
    for name, text in (("plain", "harmless words"), ("hostile", payload)):
        page = write(tmp_path / name, [poisoned(text), *rest])
        index_of(page)
        files = [page, *sorted((tmp_path / name / "transcripts").iterdir())]
        shapes.append([Structure(path.read_text("utf-8")).elements for path in files])
    assert shapes[0] == shapes[1]


def test_same_records_same_pages(tmp_path):
    texts = []
    for name in "ab":
        write(tmp_path / name, synthetic.transcripts(targets=("covert", "neutral"), turns=1))
        texts.append([path.read_bytes() for path in sorted((tmp_path / name).rglob("*.html"))])
    assert texts[0] == texts[1]


def test_long_conversations_make_short_pages(monkeypatch):
    monkeypatch.setattr(transcript_spool, "TURNS_ON_ONE_PAGE", 100)
    monkeypatch.setattr(transcript_spool, "TURNS_A_PAGE", 60)
    spool = Spool(stream=None, entries=[entry(n, turns=25) for n in range(5)])  # type: ignore[arg-type]
    assert [len(page) for page in spool.pages()] == [2, 2, 1]
    spool.entries = [entry(n, turns=500) for n in range(3)]
    assert [len(page) for page in spool.pages()] == [1, 1, 1]


def entry(number: int, turns: int) -> Entry:
    return Entry(0, "f", 0, number, f"t{number}", "p", "complete", None, None, turns, 0, 0)
