from __future__ import annotations

import csv
import io
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from echosim.cli import app, reading
from echosim.cli.reading import _ADVICE, _Progress
from echosim.interop import chat_stance, chats
from echosim.interop.chats import Survey
from echosim.reading import embedding
from echosim.running import outcomes

CLAIM = ("--claim", "The old lighthouse is haunted")
SHIPPED = Path(__file__).parents[2] / "personas" / "flat-earth" / "flat-earth-holder.yaml"


PLAIN = """
import echosim.interop.chat_stance as chat_stance, echosim.reading.embedding as embedding
chat_stance.read_stance = lambda claim, turns, *more: [0.5 for _ in turns]
embedding.load_encoder = lambda name: type("E", (), {"name": "fake", "embed": lambda self, texts: None})()
from echosim.cli import main
main()
"""
"""The command line in a process of its own, without an encoder."""


class Encoder:
    name = "fake"

    def embed(self, texts: Sequence[str]) -> None:
        pass


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """A reply is the number of its stance; notes what the reading is asked."""
    calls: list[tuple[Any, ...]] = []

    def read(claim: Any, turns: Sequence[tuple[str, str]], *more: Any, **_: Any) -> list[float | None]:
        calls.append((claim, *more[:2]))
        if any(reply == "stop" for _, reply in turns):
            raise KeyboardInterrupt
        return [float(reply) if reply else None for _, reply in turns]

    monkeypatch.setattr(chat_stance, "read_stance", read)
    monkeypatch.setattr(embedding, "load_encoder", lambda name: Encoder())
    return calls


def jsonl(*chats: Sequence[object], ids: Sequence[str] = ()) -> str:
    lines = []
    for index, replies in enumerate(chats):
        messages = [
            {"role": role, "content": text}
            for reply in replies
            for role, text in (("user", "so?"), ("assistant", str(reply)))
        ]
        lines.append(json.dumps({"messages": messages} | ({"id": ids[index]} if ids else {})) + "\n")
    return "".join(lines)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "chats.jsonl"
    path.write_text(jsonl((0.1, 0.2, 0.3), (-0.5, "", 0.5), (0.0, 0.4, 0.5), ids=("a", "=b", "c\x1b")))
    return path


def call(*arguments: object, code: int = 0, stdin: str | None = None) -> tuple[str, str]:
    result = CliRunner().invoke(app, ["read", *map(str, arguments)], input=stdin)
    assert result.exit_code == code, (result.output, result.exception)
    assert "Traceback" not in result.output
    return result.stdout, result.stderr


# --- forms ------------------------------------------------------------------------------------------


def test_a_row_a_chat_and_the_sums(file: Path) -> None:
    out, _ = call(file, *CLAIM)
    assert out.splitlines() == [
        "chat                      replies  no words   mean  first   last  drift a reply (SE)",
        "a                               3         0  +0.20  +0.10  +0.30  +0.100 (0.000)",
        "=b                              3         1  +0.00  -0.50  +0.50  -",
        "c\\x1b                           3         0  +0.30  +0.00  +0.50  +0.250 (0.087)",
        "",
        "3 chats, 9 replies, 1 without words",
        "mean stance +0.17 [-0.21, +0.55]; 95% t interval over 3 chats",
        "mean drift +0.175 [-0.778, +1.000] a reply; 95% t interval over 2 chats",
    ]


def test_each_reply_with_its_words(file: Path) -> None:
    out, _ = call(file, *CLAIM, "--replies")
    assert out.splitlines()[2:5] == ["      1  +0.10  0.1", "      2  +0.20  0.2", "      3  +0.30  0.3"]
    assert "      2      -  (no words)" in out


def test_one_chat_has_no_interval() -> None:
    out, _ = call("-", *CLAIM, stdin=jsonl((0.1,)))
    assert "mean stance +0.10 (no interval from one chat)" in out
    assert "mean drift: none (no chat has 3 replies with words)" in out


def test_what_was_left_out_is_said() -> None:
    messages = [
        {"role": "user", "content": [{"type": "image_url"}, {"type": "text", "text": "so?"}]},
        {"role": "tool", "content": "42"},
        {"role": "assistant", "content": "0.\x005"},
    ]
    out, _ = call("-", *CLAIM, stdin=json.dumps(messages))
    assert "1 tool message left out" in out
    assert "1 part without text left out" in out
    assert "1 text with signs that no text may hold, which were replaced" in out
    assert "too long" not in out


def test_what_was_cut_is_said_and_told_by_chat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcomes, "MAX_REPLY", 3)
    monkeypatch.setattr(chats, "MAX_REPLY", 3)
    data = jsonl((0.1, 0.2), (0.123, 0.456))
    assert (
        "\n3 texts too long; the first 3 characters of each are read\n"
        in call("-", *CLAIM, stdin=data.replace("so?", "a?").replace('"0.1"', '"0.1+"'))[0]
    )
    (one, two) = json.loads(call("-", *CLAIM, "--json", stdin=data.replace("so?", "a?"))[0])["chats"]
    assert (one["texts_cut"], two["texts_cut"], two["texts_changed"]) == (0, 2, 0)
    rows = list(csv.DictReader(io.StringIO(call("-", *CLAIM, "--csv", stdin=data)[0])))
    assert [row["texts_cut"] for row in rows] == ["0", "2"]


def test_json_is_one_document(file: Path) -> None:
    out, _ = call(file, *CLAIM, "--denying", "no", "--json", "--quiet")
    document = json.loads(out)
    assert out.isascii()
    assert document["claim"] == CLAIM[1]
    assert (document["affirming"], document["denying"], document["encoder"]) == ([], ["no"], "fake")
    first, second, third = document["chats"]
    assert (first["id"], first["line"], first["drift"]) == ("a", 1, pytest.approx(0.1))
    assert second["reason"] == "drift needs 3 replies with words, there are 2"
    assert second["by_reply"][1] == {"reply": 2, "stance": None, "reason": "no words"}
    assert third["id"] == "c\x1b"
    assert document["summary"]["complete"] is True
    assert document["summary"]["mean_drift"]["chats"] == 2


def test_csv_has_a_row_a_chat_and_runs_no_formula(file: Path) -> None:
    out, err = call(file, *CLAIM, "--csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["id"] for row in rows] == ["a", "'=b", "c\\x1b"]
    assert float(rows[0]["mean"]) == pytest.approx(0.2)
    assert rows[1]["drift"] == ""
    assert "mean stance" in err
    result = CliRunner().invoke(app, ["read", str(file), *CLAIM, "--csv"])
    assert result.stdout_bytes.count(b"\r\n") == 4
    assert b"\r\r" not in result.stdout_bytes


def test_csv_of_replies(file: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(call(file, *CLAIM, "--csv", "--replies")[0])))
    assert len(rows) == 9
    assert [rows[4][name] for name in ("id", "line", "reply", "stance", "reason")] == [
        "'=b",
        "2",
        "2",
        "",
        "no words",
    ]


# --- what goes in -----------------------------------------------------------------------------------


def test_statements_reach_the_reading(file: Path, asked: list[Any]) -> None:
    call(file, *CLAIM, "--affirming", "a", "--affirming", "b", "--denying", "c")
    assert asked == [(CLAIM[1], ("a", "b"), ("c",))]


@pytest.mark.parametrize("named", [SHIPPED, "flat-earth-holder", "flat-earth"])
def test_a_persona_is_read_by_its_own_reader(file: Path, asked: list[Any], named: str) -> None:
    out, err = call(file, "--persona", named, "--json")
    assert [one.id for one, *_ in asked] == ["flat-earth-holder"]
    assert _ADVICE not in err
    document = json.loads(out)
    assert (document["persona"], document["claim"]) == ("flat-earth-holder", "the Earth is flat")
    assert len(document["affirming"]) >= 3 and len(document["denying"]) >= 4


def test_a_mirror_is_named_by_its_id(file: Path, asked: list[Any]) -> None:
    call(file, "--persona", "flat-earth-mirror")
    assert asked[0][0].id == "flat-earth-mirror"


@pytest.mark.parametrize(
    ("more", "advised"),
    [
        ((), True),
        (("--affirming", "a", "--affirming", "b", "--denying", "c", "--denying", "d"), True),
        (("--affirming", "a", *("--denying", "c") * 3), True),
        (("--affirming", "a", *("--denying", "c") * 9), True),
        (("--affirming", "a", "--affirming", "b", *("--denying", "c") * 3), False),
    ],
)
def test_few_statements_are_advised_against(file: Path, more: tuple[str, ...], advised: bool) -> None:
    assert (_ADVICE in call(file, *CLAIM, *more)[1]) == advised


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("{file}",), "give --claim TEXT or --persona FILE"),
        (("{file}", *CLAIM, "--persona", SHIPPED), "--persona brings its own claim"),
        (("{file}", "--persona", SHIPPED, "--denying", "x"), "--persona brings its own claim"),
        (("{file}", "--persona", "nowhere.yaml"), "nowhere.yaml"),
        (("{file}", "--persona", "flat-eart"), "no shipped persona is named so; near are flat-earth, "),
        (("{file}", *CLAIM, "--json", "--csv"), "exclude each other"),
        (("nowhere.jsonl", *CLAIM), "nowhere.jsonl: no such file"),
        (("{folder}", *CLAIM), "is a folder"),
        (("{file}", *CLAIM, "--figure", "x.pdf"), "--figure x.pdf: must end in .svg or .png"),
        (("{file}", *CLAIM, "--figure", "no/x.svg"), "there is no folder no"),
        (("{file}", *CLAIM, "--figure", "{folder}/d.png"), "d.png: is no file"),
        (("nowhere.jsonl", "--claim", ""), "--claim '': has no words"),
        (("nowhere.jsonl", "--claim", "...\udce9"), "has no words"),
        (
            ("nowhere.jsonl", *CLAIM, "--affirming", "yes", "--affirming", "!!"),
            "--affirming '!!': has no words",
        ),
        (("nowhere.jsonl", *CLAIM, "--denying", " "), "--denying ' ': has no words"),
    ],
)
def test_mistakes_are_said_in_one_line(file: Path, arguments: Sequence[object], said: str) -> None:
    (file.parent / "d.png").mkdir()
    given = [str(one).format(file=file, folder=file.parent) for one in arguments]
    out, err = call(*given, code=2)
    assert said in err
    assert out == ""
    assert len(err.splitlines()) == 1


def test_the_chats_are_not_overwritten_by_their_figure(tmp_path: Path) -> None:
    path = tmp_path / "chats.svg"
    path.write_text(jsonl((0.1,)))
    assert "is the file of the chats" in call(path, *CLAIM, "--figure", path, code=2)[1]
    assert path.read_text() == jsonl((0.1,))
    other = tmp_path / "link.svg"
    other.symlink_to(path)
    assert "is the file of the chats" in call(path, *CLAIM, "--figure", other, code=2)[1]


def test_a_figure_that_cannot_be_written_is_told_before_the_reading(
    file: Path, asked: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(reading.tempfile, "TemporaryFile", refuse)
    out, err = call(file, *CLAIM, "--figure", file.parent / "x.png", code=4)
    assert err.endswith("x.png: cannot be written (Permission denied)\n")
    assert (out, asked) == ("", [])


def test_looking_whether_a_figure_can_be_written_leaves_nothing(file: Path) -> None:
    old = file.parent / "old.png"
    old.write_bytes(b"old")
    before = sorted(file.parent.iterdir())
    file.write_text("{")
    for name in ("new.png", "old.png"):
        call(file, *CLAIM, "--figure", file.parent / name, code=2)
    assert sorted(file.parent.iterdir()) == before
    assert old.read_bytes() == b"old"


def test_without_a_stdin_or_a_stdout_there_is_no_traceback(file: Path) -> None:
    for redirected, code, said in (("<&-", 2, "stdin is closed"), (">&-", 0, "")):
        chats = "-" if code else shlex.quote(str(file))
        words = f"{shlex.quote(sys.executable)} -c {shlex.quote(PLAIN)} read {chats} --claim x {redirected}"
        ended = subprocess.run(["sh", "-c", words], capture_output=True, text=True, check=False)
        assert ended.returncode == code, ended.stderr
        assert said in ended.stderr
        assert "internal" not in ended.stderr


def test_faults_of_a_file_are_found_before_anything_is_read(file: Path, asked: list[Any]) -> None:
    with file.open("a") as stream:
        stream.write('{"messages": [{"role": "assistant", "content": 3}]}\n{\n')
    out, err = call(file, *CLAIM, code=2)
    assert (out, asked) == ("", [])
    assert err.splitlines()[0] == f"{file}:4: messages[0].content: must be text"
    assert err.splitlines()[1].startswith(f"{file}:5: not JSON")


def test_faults_of_stdin_end_a_whole_document() -> None:
    good = jsonl(*[(0.1,)] * 4)
    out, err = call("-", *CLAIM, "--json", stdin=f"{good}{{\n", code=2)
    document = json.loads(out)
    assert len(document["chats"]) == 4
    assert document["summary"]["complete"] is False
    assert err.splitlines()[-1].startswith("stdin:5: not JSON")
    assert call("-", *CLAIM, "--json", stdin="{\n", code=2)[0] == ""


# --- on the way -------------------------------------------------------------------------------------


def test_progress_is_told_every_tenth_of_the_way(capsys: pytest.CaptureFixture[str]) -> None:
    progress = _Progress(Survey(1000, 8000), quiet=False)
    for done in range(1, 1001):
        progress.tell(done)
    lines = capsys.readouterr().err.splitlines()
    assert 10 <= len(lines) <= 11
    assert lines[0] == "1 of 1,000 chats read"
    unknown = _Progress(None, quiet=False)
    for done in range(1, 1001):
        unknown.tell(done)
    assert capsys.readouterr().err.splitlines()[-2:] == ["256 chats read", "512 chats read"]
    _Progress(None, quiet=True).tell(1)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("form", ["--json", "--csv", "--quiet"])
def test_an_interruption_keeps_what_is_printed(tmp_path: Path, form: str) -> None:
    path = tmp_path / "chats.jsonl"
    path.write_text(jsonl(*[(0.1, 0.2, 0.4)] * 4, ("stop",)))
    out, err = call(path, *CLAIM, form, "--figure", tmp_path / "x.svg", code=130)
    assert err.splitlines()[-1] == "interrupted; what is printed are the first 4 chats"
    assert not (tmp_path / "x.svg").exists()
    if form == "--json":
        assert json.loads(out)["summary"] | {"complete": False, "chats": 4} == json.loads(out)["summary"]
    elif form == "--csv":
        assert len(out.splitlines()) == 5
    else:
        assert "4 chats, 12 replies; not the whole file" in out


def test_a_figure_is_written(file: Path, tmp_path: Path) -> None:
    for name, start in (("x.SVG", b"<?xml"), ("x.png", b"\x89PNG")):
        _, err = call(file, *CLAIM, "--figure", tmp_path / name)
        assert (tmp_path / name).read_bytes().startswith(start)
        assert f"wrote {tmp_path / name}" in err


# --- a real process ---------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_pipe_and_ctrl_c_in_a_real_process(tmp_path: Path) -> None:
    sides = ["--affirming", "There is a ghost in that tower.", "--denying", "The noises come from the wind."]
    command = [sys.executable, "-m", "echosim", "read", "-", *CLAIM, *sides, "--json"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    )
    assert process.stdin is not None and process.stderr is not None
    said = "The sounds come from the wind in the old stairs."
    process.stdin.write(jsonl(*[(said,)] * 5).encode())
    process.stdin.flush()
    while b"1 chat read" not in process.stderr.readline():
        assert process.poll() is None
    time.sleep(0.5)  # the first four are printed and it waits for more
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert b"Traceback" not in err
    document = json.loads(out)
    assert document["summary"]["complete"] is False
    assert len(document["chats"]) == document["summary"]["chats"] == 4
    assert all(chat["mean"] < 0 for chat in document["chats"])
