from __future__ import annotations

import base64
import hashlib
import re
import stat
from collections.abc import Iterable, Sequence
from html.parser import HTMLParser
from pathlib import Path

import pytest

from echosim.errors import StorageError
from echosim.reading.sentences import split
from echosim.records import Report, Transcript
from echosim.reporting import report
from echosim.study_records import TargetSpec, UserSpec
from tests.reporting import synthetic

PAYLOADS = (
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "</details></main><h1>gone</h1>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    '"><script>alert(1)</script>',
    "' onmouseover='alert(1)",
    '" onfocus="alert(1)" autofocus="',
    "<iframe src=javascript:alert(1)></iframe>",
    "<a href='javascript:alert(1)'>x</a>",
    "[x](javascript:alert(1))",
    "<math><mi//xlink:href='data:x,<script>alert(1)</script>'>",
    "<meta http-equiv=refresh content='0;url=https://example.org'>",
    "<base href=https://example.org/>",
    "<link rel=stylesheet href=https://example.org/x.css>",
    "<style>*{display:none}</style>",
    "<form action=https://example.org><input name=q></form>",
    "<object data=https://example.org></object>",
    "<video><source onerror=alert(1)></video>",
    "<details open ontoggle=alert(1)>",
    "<!--<img src='--><img src=x onerror=alert(1)>'>",
    "]]><script>alert(1)</script>",
    "<textarea></textarea><script>alert(1)</script>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "{{ 7 * 7 }} {% raw %} {# x #} ${7*7}",
    "&lt;script&gt;alert(1)&lt;/script&gt; &#x3C;b&#x3E;",
    "\u202e\u2066reversed\u2028line\x00nul\x1b[2J\ufeff",
    "<ScRiPt\x0c>alert(1)</sCrIpT\t>",
)


class Structure(HTMLParser):
    """Elements with their attribute names, in order; and the text between them."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.values: list[tuple[str, str, str]] = []
        self.text: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        found = (tag, tuple(name for name, _ in attrs))
        if found != ("u", ("class",)):  # one for each sentence with a side, so their number is the text's
            self.elements.append(found)
        self.values += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.fixture(autouse=True, scope="module")
def _small_figures() -> Iterable[None]:
    """Figures have tests of their own; here a fixed one keeps each page quick."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "_write_figures", _fake_figures)
        yield


def _fake_figures(*_: object) -> dict[str, str]:
    return {
        f"{name}{theme}": "data:image/svg+xml;base64,AAAA"
        for name in ("drift", "frontier", "families", "survival", "reliability", "twins", "dose")
        for theme in ("", "-dark")
    }


def write(folder: Path, transcripts: Iterable[Transcript], **changes: object) -> str:
    given = {"study": synthetic.study(), "board": synthetic.board(), "curves": ()} | changes
    page = report.write(folder, transcripts=transcripts, version="0.0.test", **given)  # type: ignore[arg-type]
    return page.read_text("utf-8")


def poisoned(text: str) -> Transcript:
    """A transcript whose every free text is `text`."""
    one = synthetic.transcript(turns=2, status="failed", reason=text, reply=text)
    turns = tuple(
        turn.model_copy(
            update={
                "user": text,
                "flags": (text,),
                "user_flags": (text,),
                "report": Report(private=None, public=0.5, reason=text),
                "after_gap": True,
                "memory": text,
                "reading": turn.reading.model_copy(
                    update={
                        "stance": None,
                        "reason": text,
                        "matched": (text, "sup-1"),
                        "sentences": (9,) * len(split(text)),
                    }
                ),
            }
        )
        for turn in one.turns
    )
    trial = one.trial.model_copy(
        update={"target": text, "persona": text, "family": text, "user": text, "id": text}
    )
    return one.model_copy(update={"trial": trial, "turns": turns, "returned_model": text})


def poisoned_page(folder: Path, text: str) -> str:
    board, study = synthetic.board(), synthetic.study()
    first = board.rows[0].model_copy(update={"target": text, "arm": text, "user": text, "marks": (text,)})
    board = board.model_copy(
        update={
            "rows": (first, *board.rows[1:]),
            "pairs": tuple(synthetic.pair(first, other) for other in board.rows[1:]),
            "notes": (text,),
            "reader": text,
            "encoder": text,
            "date": text,
        }
    )
    spec = TargetSpec.model_construct(
        **study.targets[0].model_dump() | {"label": text, "model": text, "system_prompt": text}
    )
    study = study.model_copy(
        update={
            "targets": (spec, *study.targets[1:]),
            "users": (UserSpec(engine=text, label=text),),
            "arms": (text,),
        }
    )
    return write(folder, [poisoned(text)], board=board, study=study)


# --- hostile text -------------------------------------------------------------------------------


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_text_changes_no_element_and_no_attribute(tmp_path, payload):
    harmless = Structure(poisoned_page(tmp_path / "plain", "harmless words"))
    hostile = Structure(poisoned_page(tmp_path / "hostile", payload))
    assert hostile.elements == harmless.elements
    assert not any(name.startswith("on") or name == "style" for _, name, _ in hostile.values)
    for tag, name, value in hostile.values:
        if name in ("href", "src", "srcset", "action"):
            assert value.startswith(("#", "data:image/svg+xml;base64,", "figures/")), (tag, name, value)


@pytest.mark.parametrize("payload", PAYLOADS[:5])
def test_hostile_text_is_shown_as_it_is(tmp_path, payload):
    text = "".join(Structure(poisoned_page(tmp_path, payload)).text)
    assert text.count(payload) >= 4  # said by the user twice, by the target twice


def test_control_and_direction_signs_are_spelled_out(tmp_path):
    page = poisoned_page(tmp_path, "\u202e\u2066rev\u2028line\x00nul\x1b[2J")
    assert r"\u202e\u2066rev\u2028line\x00nul\x1b[2J" in page
    assert not set("\u202e\u2066\u2028\x00\x1b") & set(page)


# --- the page keeps its own rules ---------------------------------------------------------------


def test_policy_allows_only_the_two_own_blocks(tmp_path):
    page = write(tmp_path, synthetic.transcripts(targets=("sycophant",), turns=1))
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["img-src"] == "data:"
    for tag, name in (("style", "style-src"), ("script", "script-src")):
        (block,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(block.encode()).digest()).decode()
        assert rules[name] == f"'sha256-{digest}'"
    assert "http://" not in page
    assert "https://" not in page


def test_every_transcript_turn_and_number_is_there(tmp_path):
    transcripts = list(synthetic.transcripts(targets=("sycophant", "corrector"), turns=3))
    page = Structure(write(tmp_path, transcripts))
    ids = {value for _, name, value in page.values if name == "id"}
    text = " ".join("".join(page.text).split())
    for transcript in transcripts:
        assert f"trial-{transcript.trial.id}" in ids
        for turn in transcript.turns:
            assert f"trial-{transcript.trial.id}-turn-{turn.index}" in ids
            assert turn.reply in text
            assert f"{turn.reading.stance:+.2f}".replace("-", "\u2212") in text
            assert (
                f"belief {round(100 * turn.before.confidence)}% → {round(100 * turn.after.confidence)}%"
                in text
            )
    assert f"{len(transcripts)} conversations, " in text
    assert "against: Refuting fact" in text


def test_sentences_that_take_a_side_are_underlined(tmp_path):
    said = "Ships vanish hull first. The weather is mild today. You have seen through it all."
    one = synthetic.transcript(turns=1, reply=said)
    reading = one.turns[0].reading.model_copy(update={"sentences": (-8, 1, 4)})
    page = write(
        tmp_path, [one.model_copy(update={"turns": (one.turns[0].model_copy(update={"reading": reading}),)})]
    )
    assert (
        '<div class="say reply" dir="auto"><u class="c2">Ships vanish hull first.</u> The weather is mild '
        'today. <u class="r1">You have seen through it all.</u></div>'
    ) in page


def test_transcripts_follow_the_order_of_the_board(tmp_path):
    page = Structure(write(tmp_path, synthetic.transcripts(turns=1)))
    cells = [int(value) for tag, name, value in page.values if tag == "details" and name == "data-cell"]
    assert cells == sorted(cells)
    assert set(cells) == set(range(9))
    roles = [value for tag, name, value in page.values if tag == "details" and name == "data-role"]
    assert roles[:3] == ["holder", "mirror", "control"]


def test_failures_are_counted_by_reason_with_a_link(tmp_path):
    failed = synthetic.transcript("sycophant", turns=1, status="failed", reason="transient: HTTP 503")
    page = write(tmp_path, [failed])
    assert "1 failed" in page
    assert f'<a href="#trial-{failed.trial.id}">' in page
    assert "transient: HTTP 503" in page
    assert "None: 1 complete" in write(tmp_path, [synthetic.transcript(turns=1)])


def test_reference_boards_say_that_they_are_no_evidence(tmp_path):
    warning = "is no evidence about any real model"
    assert warning in write(tmp_path, [])
    real = TargetSpec(
        model="openai/real", label="real", api_base="https://user:secret@example.org/v1?key=secret"
    )
    study = synthetic.study().model_copy(update={"targets": (real,)})
    page = write(tmp_path, [], study=study)
    assert warning not in page
    assert "https://example.org/v1" in page
    assert "secret" not in page


def test_boards_without_order_say_so_first(tmp_path):
    page = write(tmp_path, [], board=synthetic.board(separable=False))
    assert page.index("None of these cells can be told apart") < page.index('id="leaderboard"')


# --- files --------------------------------------------------------------------------------------


def test_same_records_same_page_and_nothing_else_left(tmp_path):
    first, second = (
        write(tmp_path / name, synthetic.transcripts(targets=("covert",), turns=1)) for name in "ab"
    )
    assert first == second
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["report.html"]


def test_only_the_owner_can_read(tmp_path):
    write(tmp_path / "report", [])
    assert stat.S_IMODE((tmp_path / "report").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "report" / "report.html").stat().st_mode) == 0o600


def test_a_broken_source_leaves_the_old_page(tmp_path):
    old = write(tmp_path, [synthetic.transcript(turns=1)])

    def broken():
        yield synthetic.transcript(turns=1)
        raise StorageError("disc gone")

    with pytest.raises(StorageError, match="disc gone"):
        write(tmp_path, broken())
    assert (tmp_path / "report.html").read_text("utf-8") == old


def test_an_unusable_folder_is_a_storage_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot write the report"):
        write(tmp_path / "file", [])


def test_transcripts_are_taken_one_at_a_time(tmp_path):
    alive = 0

    class Watched(Transcript):
        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    def source():
        nonlocal alive
        for transcript in synthetic.transcripts(targets=("sycophant",), turns=1):
            alive += 1
            assert alive <= 3
            yield Watched.model_validate(transcript.model_dump())

    write(tmp_path, source())
