from __future__ import annotations

import io
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from typer.testing import CliRunner

import echosim
from echosim.board_records import Leaderboard
from echosim.cli import app
from echosim.errors import Fault, InputError, LimitReachedError, StorageError, StudyError
from echosim.inputs import forecast
from echosim.interop import jsonl
from echosim.records import Score
from echosim.running.doubt import Doubt
from echosim.study_records import Study, TargetSpec
from tests.reporting import synthetic

PAID = TargetSpec(model="openai/real", label="real")


@dataclass
class Summary:
    planned: int = 27
    complete: int = 27
    limited: int = 0
    refused: int = 0
    failed: int = 0
    limit: str | None = None
    reasons: tuple[tuple[str, str, int], ...] = ()
    exit_code: int = 0
    in_doubt: Doubt = field(default_factory=lambda: Doubt(0, 0, 0.0))
    aside: int = 0


@dataclass
class Run:
    path: Path = Path("runs/synthetic")
    study: Study = field(default_factory=synthetic.study)
    summary: Summary = field(default_factory=Summary)

    def trials(self) -> Any:
        return synthetic.transcripts(
            targets=("sycophant", "corrector"), families=synthetic.FAMILIES[:3], turns=2
        )


class FakeApi(ModuleType):
    """The few public functions, recording how they were called."""

    CONFIRM_ABOVE = 1000

    def __init__(self) -> None:
        super().__init__("echosim.api")
        self.calls: list[tuple[Any, ...]] = []
        self.held = Run()
        self.study = synthetic.study()
        self.error: BaseException | None = None

    def load_study(self, path: str) -> Study:
        if path == "missing.yaml":
            raise StudyError("missing.yaml: no such file; give a study file or `quickstart`")
        return self.study

    def run(
        self, study, out, *, yes=False, encoder=None, progress=None, events=None, stop=None, **more
    ) -> Run:
        from echosim.running.batch import Progress

        self.calls.append(("run", study.name, out, yes, encoder))
        if progress is not None:
            for done in range(4):
                progress(Progress(27, 0, 0, preparing=(done, 3)))
            for done in range(28):
                progress(Progress(27, done, 8 * done, (("transient\x1b", 2),)))
        if self.error is not None:
            raise self.error
        return self.held

    def open_run(self, path) -> Run:
        if "nothing" in str(path):
            raise InputError(f"{path}: not a run folder; `echosim run STUDY {path}` makes one")
        self.calls.append(("open", str(path)))
        if self.error is not None:
            raise self.error
        return self.held

    def plan(self, study: Study) -> Any:
        return forecast.forecast(study)

    def leaderboard(self, *runs: Run) -> Leaderboard:
        self.calls.append(("leaderboard", len(runs)))
        return synthetic.board()

    def score(self, run, *, metrics=None, encoder=None) -> list[Score]:
        self.calls.append(("score", run.path, metrics, encoder))
        return [
            Score(trial="a", metric="net_capture", value=0.5),
            Score(trial="b", metric="net_capture", value=None, reason="no words"),
        ]

    def report(self, run: Run, out: Path | None = None) -> Path:
        return (out or run.path / "report") / "report.html"

    def export_jsonl(self, run, stream) -> None:
        jsonl.export(run.trials(), stream)


@pytest.fixture
def api(monkeypatch) -> FakeApi:
    fake = FakeApi()
    monkeypatch.setitem(sys.modules, "echosim.api", fake)
    monkeypatch.setattr(echosim, "api", fake, raising=False)
    return fake


def call(*arguments: str, code: int = 0, stdin: str | None = None) -> tuple[str, str]:
    """Run a command; its stdout and stderr."""
    result = CliRunner().invoke(app, arguments, input=stdin)
    assert result.exit_code == code, (result.output, result.exception)
    assert "Traceback" not in result.output
    return result.stdout, result.stderr


# --- start-up -----------------------------------------------------------------------------------


def test_help_is_quick_and_imports_nothing_heavy():
    script = (
        "import sys, time\n"
        "sys.argv = ['echosim', '--help']\n"
        "from echosim.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: assert end.code == 0\n"
        "heavy = {'torch', 'litellm', 'langgraph', 'matplotlib', 'sentence_transformers', 'sklearn',\n"
        "         'scipy', 'pydantic', 'numpy', 'jinja2', 'ray'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "print(time.process_time())"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "leaderboard" in done.stdout
    assert float(done.stdout.split()[-1]) < 0.5


def test_version():
    assert call("--version")[0] == f"echosim {echosim.__version__}\n"


@pytest.mark.parametrize(
    "verb",
    ["run", "plan", "check", "show", "score", "leaderboard", "report", "export", "list", "init", "persona"],
)
def test_every_verb_has_help(verb):
    assert f"Usage: echosim {verb}" in CliRunner().invoke(app, [verb, "--help"], prog_name="echosim").stdout


@pytest.mark.parametrize(
    "arguments", [["frobnicate"], ["run"], ["show", "a", "b", "c"], ["export", "x", "--format", "xml"]]
)
def test_wrong_usage_exits_2(arguments):
    call(*arguments, code=2)


# --- run ----------------------------------------------------------------------------------------


def test_run_ends_with_board_paths_and_next_commands(api):
    out, err = call("run", "quickstart", "my runs/x")
    assert api.calls[0] == ("run", "synthetic", Path("my runs/x"), False, None)
    assert out.index("sycophant") < out.index("echosim show")
    assert "echosim report runs/synthetic" in out
    assert "324 trials, 2,592 replies, 0 paid calls" in err


def test_run_folder_is_named_by_the_study(api):
    call("run", "quickstart")
    assert api.calls[0][2] == Path("runs/synthetic")


@pytest.mark.usefixtures("api")
def test_progress_is_plain_lines_without_a_terminal():
    _, err = call("run", "quickstart")
    lines = [line for line in err.splitlines() if "of 27 trials" in line]
    assert 10 <= len(lines) <= 11
    assert lines[-1].startswith("27 of 27 trials, 216 turns")
    assert lines[-1].endswith(r"; 2 transient\x1b")
    assert "calibrated for 3 of 3 personas" in err
    assert "of 27 trials" not in call("run", "quickstart", "--quiet")[1]


@pytest.mark.usefixtures("api")
def test_run_as_json_prints_events_and_ends_with_the_summary():
    out, _ = call("run", "quickstart", "--json")
    events = [json.loads(line) for line in out.splitlines()]
    assert events[0] == {
        "event": "planned", "trials": 324, "replies": 2592, "paid_calls": 0, "cost": 0.0
    }  # fmt: skip
    assert events[1] == {"event": "preparing", "done": 0, "personas": 3}
    assert events[5]["event"] == events[-2]["event"] == "progress"
    assert (events[-2]["done"], events[-2]["failures"]) == (27, {"transient\x1b": 2})
    last = events[-1]
    assert (last["event"], last["complete"], last["exit_code"]) == ("summary", 27, 0)
    assert len(last["board"]["rows"]) == 9


def test_an_interruption_as_json(api):
    api.error = KeyboardInterrupt()
    out, err = call("run", "s.yaml", "out", "--json", code=130)
    last = json.loads(out.splitlines()[-1])
    assert last == {"event": "interrupted", "resume": "echosim run s.yaml out --json"}
    assert err.splitlines()[-1].endswith("Resume: echosim run s.yaml out --json")


def test_many_paid_calls_need_a_yes(api):
    api.study = api.study.model_copy(update={"targets": (PAID,), "seeds": (1, 2, 3, 4)})
    _, err = call("run", "study.yaml", code=2)
    assert err.splitlines() == [
        "144 trials, 1,152 replies, 1,152 paid calls",
        "error: 1,152 paid calls are more than 1,000; agree with --yes",
    ]
    assert api.calls == []
    call("run", "study.yaml", "out", "--yes")
    assert ("run", "synthetic", Path("out"), True, None) in api.calls


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 2)])
def test_somebody_at_the_terminal_is_asked(api, monkeypatch, answer, code):
    monkeypatch.setattr("echosim.cli.batch.somebody_is_there", lambda: True)
    api.study = api.study.model_copy(update={"targets": (PAID,), "seeds": (1, 2, 3, 4)})
    call("run", "study.yaml", "out", code=code, stdin=answer)
    assert bool(api.calls) == (code == 0)


def test_few_paid_calls_need_no_yes(api):
    api.study = api.study.model_copy(update={"targets": (PAID,)})
    assert "36 trials, 288 replies, 288 paid calls" in call("run", "study.yaml")[1]


def test_run_reports_what_failed_and_how_to_resume(api):
    reasons = tuple(("failed", f"transient: HTTP 50{n}", 9 - n) for n in range(9))
    api.held = Run(summary=Summary(complete=20, failed=7, reasons=reasons, exit_code=1))
    _, err = call("run", "s.yaml", "out", code=1)
    assert "9 failed: transient: HTTP 500" in err
    assert "and 1 more reasons" in err
    assert "20 of 27 trials complete. Resume: echosim run s.yaml out" in err


def test_nothing_held_prints_no_board(api):
    api.held = Run(summary=Summary(complete=0, failed=27, exit_code=1))
    out, _ = call("run", "s.yaml", code=1)
    assert "ECI" not in out


def test_interruption_prints_the_resume_command_and_exits_130(api):
    api.error = KeyboardInterrupt()
    _, err = call("run", "my study.yaml", "out", code=130)
    assert err.splitlines()[-1].endswith("Resume: echosim run 'my study.yaml' out")


def test_the_resume_command_has_the_options_that_were_given(api, tmp_path):
    api.error = KeyboardInterrupt()
    log = tmp_path / "run log.jsonl"
    _, err = call("run", "-y", "s.yaml", "--encoder", "all-mpnet", "-q", "--log", str(log), code=130)
    again = shlex.split(err.splitlines()[-1].partition("Resume: ")[2])
    assert again[:4] == ["echosim", "run", "s.yaml", "runs/synthetic"]
    options = " ".join(again[4:])
    for given in ("--yes", "--quiet", "--encoder all-mpnet", f"--log {log}"):
        assert given in options
    assert len(again) == 4 + 2 + 2 * 2
    api.error = None
    call(*again[1:])


def test_a_log_that_cannot_be_opened_is_said_before_anything_is_held(api, tmp_path):
    _, err = call("run", "s.yaml", "out", "--log", str(tmp_path / "nowhere" / "x"), code=4)
    assert "No such file or directory" in err
    assert not any(one[0] == "run" for one in api.calls)


# --- errors -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InputError("no"), 2),
        (LimitReachedError("no"), 3),
        (StorageError("no"), 4),
        (PermissionError(13, "Permission denied", "/x"), 4),
        (KeyError("bug"), 1),
        (KeyboardInterrupt(), 130),
    ],
)
def test_errors_have_their_exit_code_and_one_line(api, error, code):
    api.error = error
    out, err = call("report", "runs/x", code=code)
    assert out == ""
    assert len(err.splitlines()) == (0 if code == 130 else 1)


@pytest.mark.usefixtures("api")
def test_a_missing_study_and_a_folder_that_is_no_run():
    assert call("plan", "missing.yaml", code=2)[1] == (
        "error: missing.yaml: no such file; give a study file or `quickstart`\n"
    )
    assert "nothing: not a run folder" in call("leaderboard", "nothing", code=2)[1]


def test_a_study_whose_name_is_nearly_right():
    near = "quickstar: no such file; did you mean 'quickstart'?"
    assert call("plan", "quickstar", code=2)[1] == f"error: {near}\n"
    assert call("check", "quickstar", code=2)[1] == f"{near}\n"


def test_the_built_in_study_can_be_checked_unless_something_here_has_its_name(tmp_path, monkeypatch):
    assert call("check", "quickstart")[0] == "1 file, all valid\n"
    monkeypatch.chdir(tmp_path)
    Path("quickstart").write_text("format: 1\n", "utf-8")
    assert "quickstart:1" in call("check", "quickstart", code=2)[1]


def test_at_most_eight_faults_are_printed(api):
    faults = [Fault("a.yaml", line, 1, "x", "wrong") for line in range(1, 12)]
    api.error = InputError(faults=faults)
    lines = call("report", "x", code=2)[1].splitlines()
    assert lines[0] == "a.yaml:1: x: wrong"
    assert lines[8:] == ["and 3 more"]


def test_error_text_cannot_act_on_the_terminal(api):
    api.error = InputError("bad \x1b[2J name \u202e")
    assert call("report", "x", code=2)[1] == "error: bad \\x1b[2J name \\u202e\n"


def test_debug_shows_the_traceback(api):
    api.error = InputError("no")
    result = CliRunner().invoke(app, ["--debug", "report", "x"])
    assert result.exit_code == 2
    assert "Traceback" in result.stderr
    assert result.stderr.splitlines()[-1] == "error: no"


# --- reading a run ------------------------------------------------------------------------------


def test_show_lists_and_reads(api):
    trials = list(api.held.trials())
    listed, _ = call("show", "r")
    assert len(listed.splitlines()) == len(trials) + 1
    read, _ = call("show", "r", trials[3].trial.id[:8])
    assert trials[3].turns[0].user.split()[0] in read
    assert "believes that" in read
    assert "no trial id starts with 'zz'" in call("show", "r", "zz", code=2)[1]


def test_show_as_json(api):
    trials = list(api.held.trials())
    document = json.loads(call("show", "r", "--json")[0])
    assert [one["trial_id"] for one in document["trials"]] == [one.trial.id for one in trials]
    one = json.loads(call("show", "r", trials[0].trial.id, "--json")[0])
    assert len(one["turns"]) == 2


@pytest.mark.parametrize(
    ("flag", "start"), [("--json", "{"), ("--csv", "target,arm,eci"), ("--md", "| Rank |"), ("", "Rank")]
)
def test_leaderboard_forms(api, flag, start):
    out, _ = call("leaderboard", "a", "b", *([flag] if flag else []))
    assert out.startswith(start)
    assert ("leaderboard", 2) in api.calls


@pytest.mark.usefixtures("api")
def test_leaderboard_takes_one_form():
    assert "exclude each other" in call("leaderboard", "a", "--json", "--csv", code=2)[1]


@pytest.mark.usefixtures("api")
@pytest.mark.parametrize(
    ("flag", "start"),
    [("--json", "{"), ("--csv", "target,arm,user,slice"), ("--md", "| target |"), ("", "target")],
)
def test_slices_come_in_every_form(monkeypatch, flag, start):
    from echosim import boards
    from echosim.records import Estimate
    from echosim.scoring.slices import Slice

    one = Slice(
        target="=1+1",
        arm="none",
        user="embedded",
        slice="holder",
        families=12,
        net_capture=Estimate(value=0.25, low=0.1, high=0.4, n=12),
        difference=Estimate(value=0.1, low=0.0, high=0.2, n=12),
        q=0.04,
    )
    monkeypatch.setattr(boards, "slices", lambda run, by: (one,) if by == "role" else ())
    out, _ = call("leaderboard", "a", "--by", "role", *([flag] if flag else []))
    assert out.startswith(start)
    assert out.endswith("\n")
    assert not out.endswith("\n\n")
    assert ("'=1+1" in out) == (flag == "--csv")
    assert "exclude each other" in call("leaderboard", "a", "--by", "role", "--csv", "--md", code=2)[1]


def test_leaderboard_prints_the_schema_of_its_json_without_a_run():
    from echosim.reporting import board_document

    assert json.loads(call("leaderboard", "--schema")[0]) == board_document.schema()


@pytest.mark.usefixtures("api")
def test_csv_keeps_its_line_ends():
    result = CliRunner().invoke(app, ["leaderboard", "a", "--csv"])
    assert result.stdout_bytes.count(b"\r\n") == 10
    assert b"\r\r" not in result.stdout_bytes


def test_score_prints_means_and_what_is_missing(api):
    out, _ = call("score", "r", "-m", "net_capture", "--encoder", "other")
    assert ("score", Path("runs/synthetic"), ["net_capture"], "other") in api.calls
    assert out.splitlines()[1].split() == ["net_capture", "+0.500", "1", "1"]
    assert json.loads(call("score", "r", "--json")[0])["scores"][1]["value"] is None


@pytest.mark.usefixtures("api")
def test_report_prints_the_path():
    assert call("report", "r")[0] == "runs/synthetic/report/report.html\n"
    assert call("report", "r", "there")[0] == "there/report.html\n"


def test_export_to_stdout_and_to_a_file(api, tmp_path):
    stream = io.StringIO()
    jsonl.export(api.held.trials(), stream)
    assert call("export", "r", "--format", "jsonl")[0] == stream.getvalue()
    call("export", "r", "-o", str(tmp_path / "x.jsonl"))
    assert (tmp_path / "x.jsonl").read_text("ascii") == stream.getvalue()


# --- writing inputs -----------------------------------------------------------------------------


def test_a_new_persona_passes_the_check(tmp_path):
    path = tmp_path / "my-claim.yaml"
    assert call("persona", "new", "my-claim", str(tmp_path))[0].strip() == str(path)
    assert call("check", str(path))[0] == "1 file, all valid\n"
    assert "already there" in call("persona", "new", "my-claim", str(tmp_path), code=2)[1]
    assert "may hold a-z" in call("persona", "new", "../../evil", str(tmp_path), code=2)[1]


def test_check_names_each_fault_and_exits_2(tmp_path):
    path = tmp_path / "my-claim.yaml"
    call("persona", "new", "my-claim", str(tmp_path))
    path.write_text(path.read_text("utf-8").replace("severity:", "seveerity:", 1), "utf-8")
    out, err = call("check", str(path), code=2)
    assert f"{path}:" in err
    assert "seveerity" in err
    assert out == "1 file, 1 with faults\n"
    (file,) = json.loads(call("check", str(path), "--json", code=2)[0])["files"]
    assert (file["path"], file["ok"]) == (str(path), False)
    assert {"line", "column", "field", "message"} == set(file["faults"][0])


def test_schema_is_a_json_schema():
    schema = json.loads(call("persona", "schema")[0])
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert "claim" in schema["else"]["properties"]


def test_init_writes_files_that_pass_and_overwrites_nothing(tmp_path):
    out, _ = call("init", str(tmp_path / "new"))
    written = [Path(line) for line in out.splitlines()]
    assert all(path.is_file() for path in written)
    yaml = [str(path) for path in written if ".github" not in str(path)]
    call("check", *yaml)
    written[0].write_text("mine", "utf-8")
    assert "already there, nothing was written" in call("init", str(tmp_path / "new"), code=2)[1]
    assert written[0].read_text("utf-8") == "mine"


def test_list_names_plugins_with_their_meaning():
    out, _ = call("list", "metrics")
    rows = out.splitlines()
    assert rows[0].split() == ["kind", "name", "meaning"]
    assert any(row.startswith("metric  net_capture") for row in rows)
    assert not any(row.startswith("target") for row in rows)
    plugins = json.loads(call("list", "--json")[0])["plugins"]
    assert {one["kind"] for one in plugins} == {"persona", "target", "user", "arm", "monitor", "metric"}
    assert "unknown kind 'x'" in call("list", "x", code=2)[1]


def test_list_names_the_shipped_families_as_a_study_takes_them():
    rows = call("list", "personas")[0].splitlines()[1:]
    assert len(rows) == 12
    assert any(row.startswith("persona  flat-earth ") and "the Earth is flat (false)" in row for row in rows)


# --- stdout -------------------------------------------------------------------------------------


def command(arguments: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-c", "from echosim.cli import main; main()", *arguments]
    return subprocess.run(line, text=True, check=False, stderr=subprocess.PIPE, **options)


def test_closed_stdout_is_no_crash():
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = command(["persona", "schema"], stdout=writing)
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_terminal_without_unicode_gets_escapes():
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = command(["check", "nicht-da-ü.yaml"], stdout=subprocess.PIPE, env=environment)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "nicht-da-" in done.stderr
