"""Whole runs against a server that misbehaves; its ledger is compared with what the run folder says."""

import asyncio
import json
import sqlite3
from collections import Counter

import cast
import fake_server as fake
import pytest

from echosim import draws
from echosim.running import run_folder
from echosim.running.stored_run import StoredRun
from echosim.study_records import TargetSpec

HARMLESS = (
    lambda r: fake.error(429, "slow down"),
    lambda r: fake.error(429, "slow down", {"Retry-After": "0"}),
    lambda r: fake.error(500, "boom"),
    lambda r: fake.error(502, "bad gateway"),
    lambda r: fake.error(503, "unavailable"),
    lambda r: fake.error(529, "overloaded"),
    lambda r: fake.raw("<html>busy</html>", "text/html"),
    lambda r: fake.raw("[]"),
    lambda r: fake.completion(choices="absent"),
    lambda r: fake.completion("Half", "length"),
    lambda r: fake.completion("a\0b"),
    lambda r: fake.completion("Fine.", usage="absent"),
    fake.cut,
    fake.drop,
)
"""What a reply gets over: tried again, or words with a flag."""


def mixed(server, share):
    """Answers `share` of the requests by a fault, drawn from what is asked and how often it was."""
    seen = Counter()

    def step(request):
        text = json.dumps(server.ledger[-1]["messages"])
        seen[text] += 1
        if draws.uniform("fault", text, seen[text]) >= share:
            said = sum(message["role"] == "user" for message in server.ledger[-1]["messages"])
            return fake.completion(f"Reply {said}.")
        return HARMLESS[draws.integer("kind", text, seen[text]) % len(HARMLESS)](request)

    return step


def calls(folder):
    """(requests noted, of these retries, of these without an outcome)."""
    database = sqlite3.connect(folder / run_folder.DATABASE)
    try:
        columns = "count(*), coalesce(sum(attempt > 1), 0), coalesce(sum(outcome IS NULL), 0)"
        return database.execute(f"SELECT {columns} FROM calls").fetchone()
    finally:
        database.close()


def faults_over(folder, conversations, turns):
    async def scene():
        async with fake.serving() as server, fake.serving(default=lambda r: fake.error(401, "no")) as locked:
            server.default = mixed(server, 0.1)
            study = cast.study(
                cast.served(server.base),
                cast.served(locked.base, "locked"),
                seeds=tuple(range(conversations)),
                turns=turns,
                limits=cast.limits(timeout=60.0, in_flight=16),
            )
            return await cast.held(folder, study), len(server.ledger), len(locked.ledger)

    return scene()


def check(folder, summary, requests, locked, conversations, turns):
    assert (summary.complete, summary.failed, summary.unfinished) == (conversations, conversations, 0)
    assert locked == 1
    noted, retries, dangling = calls(folder)
    assert (requests + locked, dangling) == (noted, 0)
    assert noted == summary.calls
    logical = conversations * turns + 1
    assert requests + locked == logical + retries
    assert retries > 0.04 * logical
    with StoredRun(folder) as run:
        flags = Counter()
        for found in run.transcripts():
            held = turns if found.trial.target == "local" else 0
            assert len(found.turns) == held
            for turn in found.turns:
                flags.update(turn.flags)
                assert turn.reply in (f"Reply {turn.index}.", "Half", "ab", "Fine.")
        assert {"cleaned", "usage_estimated"} <= set(flags)


def test_ten_per_cent_of_mixed_faults_cost_retries_and_nothing_else(tmp_path, do):
    summary, requests, locked = do(faults_over(tmp_path, 60, 4))
    check(tmp_path, summary, requests, locked, 60, 4)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_ten_per_cent_of_mixed_faults_over_a_thousand_conversations(tmp_path, do):
    summary, requests, locked = do(faults_over(tmp_path, 1000, 10))
    check(tmp_path, summary, requests, locked, 1000, 10)


FINAL = [
    # row of the fault matrix, what is answered from the third request on, how the trials then end
    ("19 nothing said", lambda r: fake.completion(None), "failed", "empty"),
    (
        "20 filtered",
        lambda r: fake.completion("Half a", "content_filter"),
        "refused",
        "the provider filtered",
    ),
    ("22 too long", lambda r: fake.error(400, "maximum context length is 10"), "limited", "context"),
    ("23 key withdrawn", lambda r: fake.error(401, "no"), "failed", "fatal"),
    ("14 quota", lambda r: fake.error(429, "x", code="insufficient_quota"), "failed", "fatal"),
    ("18 always HTML", lambda r: fake.raw("<html>busy</html>", "text/html"), "failed", "malformed"),
    ("15 always 503", lambda r: fake.error(503, "unavailable"), "failed", "transient"),
]


@pytest.mark.parametrize(("fault", "status", "reason"), [f[1:] for f in FINAL], ids=[f[0] for f in FINAL])
def test_what_cannot_be_got_over_ends_every_trial_and_is_never_a_reply(tmp_path, do, fault, status, reason):
    async def scene():
        async with fake.serving(*[fake.completion()] * 2, default=fault) as server:
            study = cast.study(cast.served(server.base), seeds=tuple(range(10)), limits=cast.limits())
            return await cast.held(tmp_path, study), len(server.ledger)

    summary, requests = do(scene())
    assert (getattr(summary, status), summary.unfinished) == (10, 0)
    assert sum(count for *_, count in summary.reasons) == 10
    assert all(why.startswith(reason) for _, why, _ in summary.reasons)
    noted, retries, dangling = calls(tmp_path)
    assert (noted, dangling) == (requests, 0) == (summary.calls, 0)
    with StoredRun(tmp_path) as run:
        replies = [turn.reply for found in run.transcripts() for turn in found.turns]
    assert replies == ["Fine."] * 2
    if status == "failed" and reason in ("empty", "malformed", "transient"):
        each = {"empty": 2, "malformed": 6, "transient": 6}[reason]
        assert (requests, retries) == (2 + 10 * each, 10 * (each - 1))
    else:
        # One each for those under way (4) at most where it stops the target, else one a trial.
        assert requests <= 2 + 10


def storm(folder, seconds, pause, in_flight):
    """A server that from its 20th request on tells everybody to wait, for so long."""

    async def scene():
        loop = asyncio.get_running_loop()
        begun, during = [], []

        async with fake.serving() as server:

            def step(request):
                if len(server.ledger) == 20:
                    begun.append(loop.time())
                if begun and loop.time() < begun[0] + seconds:
                    during.append(loop.time())
                    return fake.error(429, "slow down", {"Retry-After": str(pause)})
                return fake.completion()

            server.default = step
            study = cast.study(
                cast.served(server.base),
                seeds=tuple(range(4 * in_flight)),
                limits=cast.limits(in_flight=in_flight, timeout=60.0),
            )
            summary = await cast.held(folder, study)
            return summary, len(server.ledger), len(during)

    return scene()


@pytest.mark.parametrize(
    ("seconds", "pause", "in_flight"),
    [(5.0, 1.0, 8), pytest.param(60.0, 2.0, 32, marks=pytest.mark.slow)],
)
def test_a_storm_of_429s_is_not_fed(tmp_path, do, seconds, pause, in_flight):
    summary, requests, during = do(storm(tmp_path, seconds, pause, in_flight))
    assert summary.complete == summary.planned
    assert 1 < during <= in_flight + seconds / pause
    noted, retries, dangling = calls(tmp_path)
    assert (noted, dangling) == (requests, 0)
    assert retries == during
    assert requests == 3 * summary.planned + during


# --- nobody waits for the slow ------------------------------------------------------------------------


def blocked_until(through):
    async def answer(_request):
        await through.wait()
        return fake.web.json_response(fake.completion("late"))

    return answer


@pytest.mark.parametrize("servers", ["one", "two"])
def test_a_slow_target_never_starves_a_fast_one(tmp_path, do, servers):
    """The slow target answers only when the fast one's conversations are all over.

    With any slot, worker or order that waits for it, the run would not end: its deadline is a minute.
    """

    async def scene():
        through = asyncio.Event()

        def step(server):
            def answer(request):
                slow = [body["model"] for body in server.ledger].count("slow")
                if server.ledger[-1]["model"] == "slow" and slow > 1:
                    return blocked_until(through)(request)
                return fake.completion()

            return answer

        async with fake.serving() as first, fake.serving() as second:
            first.default, second.default = step(first), step(second)
            other = first if servers == "one" else second
            study = cast.study(
                TargetSpec(model="openai/slow", label="slow", api_base=first.base),
                TargetSpec(model="openai/fast", label="fast", api_base=other.base),
                seeds=tuple(range(60)),
                limits=cast.limits(in_flight=16, timeout=60.0),
            )

            def watch(progress):
                if progress.done == 60:
                    through.set()

            summary = await cast.held(tmp_path, study, watch)
            bodies = Counter(
                body["model"]
                for server in {id(s): s for s in (first, other)}.values()
                for body in server.ledger
            )
            return summary, bodies

    summary, bodies = do(scene())
    assert (summary.complete, summary.planned) == (120, 120)
    assert bodies == {"slow": 180, "fast": 180}


def test_a_conversation_ends_at_its_own_deadline_and_goes_on_in_the_next_session(tmp_path, do):
    async def scene():
        through = asyncio.Event()
        async with fake.serving(*[fake.completion()] * 2, default=blocked_until(through)) as server:
            limits = cast.limits(timeout=60.0)
            study = cast.study(cast.served(server.base), seeds=(1,), limits=limits)
            short = study.model_copy(update={"limits": limits.model_copy(update={"trial_timeout": 2.0})})
            first = await cast.held(tmp_path, short)
            through.set()
            with cast.opened_with(tmp_path, study, lambda _: []):
                pass
            return first, await cast.held(tmp_path, study)

    first, second = do(scene())
    assert (first.limited, first.reasons) == (1, (("limited", "limit trial_timeout 2 reached", 1),))
    assert second.complete == 1
