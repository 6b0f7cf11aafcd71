import asyncio
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import cast
import fake_server as fake
import pytest

from echosim import draws, registry
from echosim.errors import InputError, StorageError
from echosim.running import batch
from echosim.running.stored_run import StoredRun

REFERENCES = ("echosim/corrector", "echosim/sycophant", "echosim/mix(0.25)")


def whole(summary):
    counts = (summary.complete, summary.limited, summary.refused, summary.failed, summary.unfinished)
    assert sum(counts) == summary.planned
    return counts


def test_all_trials_are_held_and_a_second_run_does_nothing(tmp_path, do):
    study = cast.study(*REFERENCES)
    seen = []
    summary = do(cast.held(tmp_path, study, seen.append))
    assert whole(summary) == (6, 0, 0, 0, 0)
    assert (summary.calls, summary.limit, summary.reasons) == (0, None, ())
    assert seen[-1] == batch.Progress(planned=6, done=6, turns=18)
    assert [p.turns for p in seen] == sorted(p.turns for p in seen)
    before = cast.rows(tmp_path)
    again = []
    assert whole(do(cast.held(tmp_path, study, again.append))) == (6, 0, 0, 0, 0)
    assert again == []
    assert cast.rows(tmp_path) == before


@pytest.mark.parametrize("user", ["embedded", "bayesian", 'bayesian("informed", 0.3)', 'embedded("nudge")'])
def test_the_same_seed_gives_the_same_rows_whatever_the_order(tmp_path, do, monkeypatch, user):
    study = cast.study(*REFERENCES, users=(user,))
    do(cast.held(tmp_path / "a", study))
    monkeypatch.setattr(batch, "REFERENCE_WORKERS", 1)
    do(cast.held(tmp_path / "b", study))
    rows = cast.rows(tmp_path / "a")
    assert rows == cast.rows(tmp_path / "b")
    do(cast.held(tmp_path / "c", study.model_copy(update={"seeds": (3, 4)})))
    assert set(rows).isdisjoint(cast.rows(tmp_path / "c"))


def test_a_real_target_and_reference_targets_side_by_side(tmp_path, do):
    async def scene():
        async with fake.serving() as server:
            study = cast.study("echosim/corrector", cast.served(server.base), limits=cast.limits())
            return await cast.held(tmp_path, study), server

    summary, server = do(scene())
    assert whole(summary) == (4, 0, 0, 0, 0)
    assert len(server.ledger) == summary.calls == 6
    assert (summary.prompt_tokens, summary.completion_tokens) == (66, 42)
    with StoredRun(tmp_path) as run:
        for found in run.transcripts():
            assert found.returned_model == ("served-name" if found.trial.target == "local" else None)
            if found.trial.target == "local":
                assert [turn.reply for turn in found.turns] == ["Reply 1.", "Reply 2.", "Reply 3."]


def test_with_the_server_down_trials_fail_and_a_later_run_resumes_them(tmp_path, do):
    async def scene():
        async with fake.serving() as server:
            port = int(server.base.split(":")[2].split("/")[0])
            study = cast.study("echosim/corrector", cast.served(server.base), limits=cast.limits())
        down = await cast.held(tmp_path, study)
        async with fake.serving(port=port) as server:
            up = await cast.held(tmp_path, study)
            return down, up, len(server.ledger)

    down, up, requests = do(scene())
    assert whole(down) == (2, 0, 0, 2, 0)
    assert down.calls == 12
    assert [(status, trials) for status, _, trials in down.reasons] == [("failed", 2)]
    assert down.reasons[0][1].startswith("transient: ")
    assert whole(up) == (4, 0, 0, 0, 0)
    assert (requests, up.calls) == (6, 18)


def test_every_fault_ends_in_a_status_and_no_error_becomes_a_reply(tmp_path, do):
    marks = ("boom", "busy", "forbidden", "Traceback", "filtered")

    def misbehaves(_request):
        counter["requests"] += 1
        pick = draws.integer("fault", counter["requests"]) % 10
        return {
            0: fake.error(500, "boom"),
            1: fake.raw("<html>busy</html>", "text/html"),
            2: fake.completion(choices=[]),
            3: fake.completion("filtered text", "content_filter"),
            4: fake.completion("Half of a reply", "length"),
        }.get(pick) or fake.completion(f"Reply {counter['requests']}.")

    counter = Counter()

    async def scene():
        async with fake.serving(default=misbehaves) as server:
            study = cast.study(
                cast.served(server.base), seeds=tuple(range(30)), turns=4, limits=cast.limits(in_flight=8)
            )
            return await cast.held(tmp_path, study), len(server.ledger)

    summary, requests = do(scene())
    counts = whole(summary)
    assert counts[4] == 0
    assert counts[0] > 3
    assert counts[2] > 3
    assert summary.calls == requests == counter["requests"]
    with StoredRun(tmp_path) as run:
        for found in run.transcripts():
            assert (found.status == "complete") == (len(found.turns) == 4)
            for turn in found.turns:
                assert turn.reply.startswith(("Reply ", "Half "))
                assert not any(mark in turn.reply for mark in marks)
                assert turn.flags == (("truncated",) if turn.reply.startswith("Half") else ())


def test_a_wrong_key_stops_one_target_after_one_call_and_leaves_the_others(tmp_path, do):
    async def scene():
        async with fake.serving(default=lambda r: fake.error(401, "bad key sk-canary-123456")) as server:
            study = cast.study(
                cast.served(server.base), "echosim/corrector", seeds=tuple(range(10)), limits=cast.limits()
            )
            seen = []
            summary = await cast.held(tmp_path, study, seen.append)
            return summary, len(server.ledger), seen[-1]

    summary, requests, last = do(scene())
    assert whole(summary) == (10, 0, 0, 10, 0)
    assert requests == summary.calls == 1
    assert last.failures == (("fatal", 10),)
    assert summary.reasons[0][2] == 10
    assert b"canary" not in (tmp_path / "run.db").read_bytes()


def test_a_budget_stops_the_run_and_a_bigger_one_goes_on(tmp_path, do):
    async def scene():
        async with fake.serving() as server:
            study = cast.study(
                cast.served(server.base),
                "echosim/corrector",
                seeds=(1, 2, 3, 4),
                limits=cast.limits(max_calls=7),
            )
            first = await cast.held(tmp_path, study)
            calls = len(server.ledger)
            same = await cast.held(tmp_path, study)
            assert len(server.ledger) == calls
            more = study.model_copy(update={"limits": cast.limits(max_calls=12)})
            with cast.opened_with(tmp_path, more, lambda _: []) as store:
                last = await batch.run_trials(more, cast.planned(more), store, cast.HashReader())
            return first, same, last, calls, len(server.ledger)

    first, same, last, calls, all_calls = do(scene())
    assert calls == first.calls == same.calls == 7
    assert first.limit == same.limit == "limit max_calls 7 reached"
    assert first.limited == same.limited > 0
    assert first.complete == 8 - first.limited
    assert whole(last) == (8, 0, 0, 0, 0)
    assert (last.limit, all_calls) == (None, 12)


def test_a_plugin_that_breaks_fails_its_own_trials_only(tmp_path, do, monkeypatch):
    real = registry.load

    class Moody:
        def __getattr__(self, name):
            return getattr(real("user", "embedded"), name)

        async def speak(self, moment):
            if moment.seed == 2:
                raise KeyError("mood")
            return await real("user", "embedded").speak(moment)

    monkeypatch.setattr(registry, "load", lambda kind, spec: Moody() if kind == "user" else real(kind, spec))
    summary = do(cast.held(tmp_path, cast.study("echosim/corrector", seeds=(1, 2, 3))))
    assert whole(summary) == (2, 0, 0, 1, 0)
    assert summary.reasons == (("failed", "internal: KeyError: 'mood'", 1),)


def test_a_store_that_breaks_stops_the_run(tmp_path, do):
    study = cast.study(*REFERENCES, seeds=tuple(range(20)))
    with cast.opened(tmp_path, study) as store:
        pages = store._database.execute("PRAGMA page_count").fetchone()[0]
        store._database.execute(f"PRAGMA max_page_count={pages + 4}")
        with pytest.raises(StorageError, match="full"):
            do(batch.run_trials(study, cast.planned(study), store, cast.HashReader()))
    assert whole(do(cast.held(tmp_path, study))) == (60, 0, 0, 0, 0)


def test_nothing_is_called_when_a_key_is_missing(tmp_path, do, monkeypatch):
    monkeypatch.delenv("LOCAL_KEY", raising=False)

    async def scene():
        async with fake.serving() as server:
            study = cast.study(cast.served(server.base, api_key_env="LOCAL_KEY"))
            with pytest.raises(InputError, match="LOCAL_KEY"):
                await cast.held(tmp_path, study)
            return server.ledger

    assert do(scene()) == []


def test_more_conversations_live_than_calls_in_flight(tmp_path, do):
    async def scene():
        async def slow(_request):
            await asyncio.sleep(0.02)
            return fake.web.json_response(fake.completion())

        async with fake.serving(default=slow) as server:
            study = cast.study(
                cast.served(server.base), seeds=tuple(range(20)), limits=cast.limits(in_flight=5)
            )
            await cast.held(tmp_path, study)
            return server.peak

    assert do(scene()) == 5


# --- kills -------------------------------------------------------------------------------------


CHILD = """
import asyncio, sys
sys.path.insert(0, sys.argv[1])
import cast
from pathlib import Path
study = cast.study(*sys.argv[3:], seeds=tuple(range(12)), turns=6)
done = []
asyncio.run(cast.held(Path(sys.argv[2]), study, lambda p: print(p.turns, flush=True)))
print("end", flush=True)
"""


def _child(folder):
    here = str(Path(__file__).parent)
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, here, str(folder), *REFERENCES], stdout=subprocess.PIPE, text=True
    )


def _killed_after(folder, turns):
    """Run in another process; kill -9 when it has told of so many turns. False if it came to its end."""
    child = _child(folder)
    try:
        for line in child.stdout:
            if line == "end\n":
                return False
            if int(line) >= turns:
                break
        child.kill()
        return True
    finally:
        child.wait()
        child.stdout.close()


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_kill_9_anywhere_changes_nothing(tmp_path):
    assert not _killed_after(tmp_path / "whole", 10**9)
    rows = cast.rows(tmp_path / "whole")
    assert len(rows) == 36
    for case in range(6):
        folder = tmp_path / f"killed-{case}"
        for time_ in range(2):
            assert _killed_after(folder, 1 + draws.integer("kill", case, time_) % 100)
        with StoredRun(folder) as run:
            assert run.counts()["unfinished"] > 0
            kept = {t.trial.id: t.turns for t in run.transcripts()}
        assert sum(map(len, kept.values())) > 0
        assert not _killed_after(folder, 10**9)
        assert cast.rows(folder) == rows
        with StoredRun(folder) as run:
            for name, turns in kept.items():
                assert run.transcript(name).turns[: len(turns)] == turns


def test_kill_9_once(tmp_path):
    study = cast.study(*REFERENCES, seeds=tuple(range(12)), turns=6)
    assert _killed_after(tmp_path / "killed", 1 + draws.integer("kill once") % 100)
    with StoredRun(tmp_path / "killed") as run:
        assert 0 < sum(len(found.turns) for found in run.transcripts()) < 216
    asyncio.run(cast.held(tmp_path / "killed", study))
    asyncio.run(cast.held(tmp_path / "whole", study))
    assert cast.rows(tmp_path / "killed") == cast.rows(tmp_path / "whole")


def test_cost_of_a_turn_does_not_grow(tmp_path, do):
    def cpu_per_turn(folder, turns, seeds):
        study = cast.study("echosim/corrector", turns=turns, seeds=tuple(range(seeds)))
        begin = time.process_time()
        do(cast.held(folder, study))
        return (time.process_time() - begin) / (turns * seeds)

    cpu_per_turn(tmp_path / "warm", 5, 2)
    short = cpu_per_turn(tmp_path / "short", 10, 20)
    long = cpu_per_turn(tmp_path / "long", 100, 2)
    assert long < 3 * short
