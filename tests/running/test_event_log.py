import dataclasses
import json
import sqlite3
from typing import get_args

import cast
import fake_server as fake
import pytest
from hypothesis import given
from hypothesis import strategies as st

from echosim.running import events
from echosim.running.batch import run_trials
from echosim.running.event_log import EventLog, kind
from echosim.running.events import CallFailed, LimitReached, Retried, Throttled, TrialEnded, as_object

KEY = "sk-canary-0123456789abcdef"
FAILED = CallFailed("t1", "local", 3, 2, "transient", "500: the server choked on 'My dear diary'")


def logged(path, *told, clock=None):
    log = EventLog(path, clock) if clock else EventLog(path)
    for event in told:
        log(event)
    log.close()
    return [json.loads(line) for line in path.read_text("ascii").splitlines()]


def test_one_record_an_event_with_time_and_no_words_of_the_provider(tmp_path):
    seconds = iter([100.0, 101.5, 99.0, 103.0])
    ended = TrialEnded("t1", "p", "local", "none", "embedded", 1, "failed", "transient: 500: 'My dear diary'")
    rows = logged(tmp_path / "log", FAILED, Throttled("local", 2.0), ended, clock=lambda: next(seconds))
    assert [row.pop("time").endswith("+00:00") for row in rows] == [True] * 3
    assert rows[0] == {
        "seconds": 1.5, "event": "call_failed", "trial": "t1", "target": "local", "turn": 3, "attempt": 2,
        "outcome": "transient", "detail": "500",
    }  # fmt: skip
    assert rows[1]["event"] == "throttled"
    assert (rows[2]["event"], rows[2]["reason"], rows[2]["seed"]) == ("trial_ended", "transient: 500", 1)


def test_no_field_of_an_event_hides_what_a_line_has_already(tmp_path):
    clock = iter([0.0, 11.9])
    (row,) = logged(tmp_path / "log", events.Stopping(10.0), clock=lambda: next(clock))
    assert (row["seconds"], row["grace_seconds"]) == (11.9, 10.0)
    for kind_of_event in get_args(events.Event):
        names = {field.name for field in dataclasses.fields(kind_of_event)}
        assert not names & {"time", "seconds", "event"}


def test_it_appends_and_only_its_owner_reads_it(tmp_path):
    path = tmp_path / "log"
    logged(path, LimitReached("limit max_calls 7 reached"))
    rows = logged(path, Retried("t", "local", 1, 2))
    assert [row["event"] for row in rows] == ["limit_reached", "retried"]
    assert rows[0]["limit"] == "limit max_calls 7 reached"
    assert path.stat().st_mode & 0o777 == 0o600


ENDS = ["\n", "\r\n", "\x85", "\u2028", "\0"]


@given(st.text(st.characters(codec=None), max_size=40), st.sampled_from(ENDS))
def test_no_name_makes_a_second_record(tmp_path_factory, name, end):
    path = tmp_path_factory.mktemp("log") / "log"
    forged = f'{name}{end}{{"event": "ended"}}'
    (row,) = logged(path, Throttled(forged, None))
    assert row["event"] == "throttled"
    assert row["target"] == forged


def test_keys_are_blotted_out(tmp_path, monkeypatch):
    monkeypatch.setenv("SOME_API_KEY", "plain-value-of-a-key")
    told = (Throttled("plain-value-of-a-key", None), TrialEnded("t", KEY, "a", "b", "c", 1, "failed", KEY))
    logged(tmp_path / "log", *told)
    text = (tmp_path / "log").read_text()
    assert "plain-value" not in text
    assert "canary" not in text


def test_trouble_with_the_file_ends_the_log_alone():
    log = EventLog("/dev/full")
    log(FAILED)
    assert log.broken is not None
    log(FAILED)
    log.close()
    with pytest.raises(FileNotFoundError):
        EventLog("/nowhere/at/all")


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("transient: 500: boom", "transient: 500"),
        ("500: boom: 404: lost", "500"),
        ("internal: KeyError: 'mood'", "internal: KeyError"),
        ("user model transient: 429: slow down", "user model transient: 429"),
        ("empty: the reply is blank", "empty"),
        ("no whole answer within 5 s", "no whole answer within 5 s"),
        ("Timeout: 'My dear diary'", "Timeout"),
        ("", ""),
    ],
)
def test_the_kind_of_a_reason(reason, said):
    assert kind(reason) == said


def test_a_run_tells_of_its_trouble_and_the_log_holds_no_talk(tmp_path, do, monkeypatch):
    monkeypatch.setenv("LOCAL_KEY", KEY)

    def misbehaves(request):
        counted.append(request)
        said = f"cannot parse: {cast.persona().opening} with key {KEY}"
        answers = {
            2: fake.error(500, said),
            3: fake.error(429, said, {"retry-after": "0.5"}),
            5: fake.completion(choices=[]),
            6: fake.completion(choices=[]),
            8: fake.error(400, said),
        }
        return answers.get(len(counted)) or fake.completion("It is the tin.")

    counted, told = [], []

    async def scene():
        async with fake.serving(default=misbehaves) as server:
            study = cast.study(
                cast.served(server.base, api_key_env="LOCAL_KEY"),
                seeds=(1, 2, 3, 4, 5, 6),
                limits=cast.limits(in_flight=1, max_calls=12),
            )
            trials = cast.planned(study)
            with cast.opened(tmp_path / "run", study) as store:
                log = EventLog(tmp_path / "log")

                def tell(event):
                    told.append(event)
                    log(event)

                summary = await run_trials(study, trials, store, cast.HashReader(), on_event=tell)
                log.close()
                return summary, len(server.ledger)

    summary, requests = do(scene())
    names = [as_object(event)["event"] for event in told]
    assert requests == summary.calls == 12
    assert names[0] == "started"
    assert names[-1] == "ended"
    assert names.count("trial_ended") == 6 - summary.unfinished
    assert names.count("limit_reached") == 1
    assert names.count("throttled") == 1
    failed = [event for event in told if isinstance(event, events.CallFailed)]
    assert sorted(event.outcome for event in failed) == ["empty", "empty", "fatal", "transient", "transient"]
    with sqlite3.connect(tmp_path / "run" / "run.db") as database:
        again = database.execute("SELECT count(*) FROM calls WHERE attempt > 1").fetchone()[0]
    assert names.count("retried") == again > 2
    text = (tmp_path / "log").read_text("ascii")
    assert len(text.splitlines()) == len(told)
    for kept_out in ("tin", "rain", "canary", "cannot parse"):
        assert kept_out not in text.replace("tin-roof", "")
