"""Channels read a stored run: against a real local HTTP server, and with a real (tiny) cross-encoder."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from echosim import draws
from echosim.checks import judge as judging
from echosim.checks.channels import EMBEDDING, ChannelReading, listed
from echosim.checks.judge import Progress, agreement_of
from echosim.errors import EncoderError, InputError, StorageError
from echosim.running.store import reopen
from echosim.running.stored_run import StoredRun
from tests.checks.bench import (
    REPLIES,
    STUDY,
    Bench,
    identity,
    judged,
    material,
    opinion,
    replies,
    stored,
)
from tests.reading.test_entailment import make_model
from tests.running import cast
from tests.running import fake_server as fake

pytestmark = pytest.mark.usefixtures("short_backoff")

# --- a judge that works -------------------------------------------------------------------------


def test_every_reply_is_asked_about_once_and_kept_with_its_quote(run: Path) -> None:
    before = cast.rows(run)
    seen: list[Progress] = []
    found, server = judged(run, on_progress=seen.append)
    assert len(server.ledger) == found.calls == REPLIES
    assert (found.exit_code, found.limit) == (0, None)
    (outcome,) = found.outcomes
    assert (outcome.count.read, outcome.count.missing, outcome.left) == (REPLIES, (), 0)
    told = replies(run)
    readings = stored(run, identity(found))
    assert readings.keys() == told.keys()
    for place, reading in readings.items():
        assert reading.stance == round(4 * draws.uniform(told[place]) - 2) / 2
        assert reading.quote is not None
        assert told[place].split()[:6] == reading.quote.split()
        assert reading.confidence == 0.75
    assert [one.done for one in seen] == list(range(1, REPLIES + 1))
    assert {one.todo for one in seen} == {REPLIES}
    assert cast.rows(run) == before


def test_only_message_and_reply_are_sent_each_in_its_fence(run: Path) -> None:
    _, server = judged(run)
    with StoredRun(run) as held:
        asked = {(turn.user, turn.reply) for t in held.transcripts() for turn in t.turns}
    for body in server.ledger:
        assert [message["role"] for message in body["messages"]] == ["system", "user"]
        texts = material(body)
        assert (texts["MESSAGE"], texts["REPLY"]) in asked
        assert texts["REPLY"] not in body["messages"][0]["content"]
        assert "temperature" not in body
        assert body["max_tokens"] == 1000
    assert len({body["messages"][0]["content"] for body in server.ledger}) == REPLIES


def test_what_is_read_is_not_asked_again_and_the_fence_stays_the_same(run: Path) -> None:
    async def scene() -> tuple[int, int, list[Any]]:
        async with fake.serving() as server:
            Bench(server)
            first = await judging.judge(run, STUDY, ["openai/judge"], api_base=server.base)
            with StoredRun(run) as held:
                trial = held.trial_ids()[0]
            sent = [body["messages"] for body in server.ledger]
            with reopen(run) as writer:
                lost = ChannelReading(stance=None, reason="server down", again=True)
                await writer.append_reading(trial, 2, identity(first), lost)
            again = await judging.judge(run, STUDY, ["openai/judge"], api_base=server.base)
            assert again.exit_code == 0
            assert again.outcomes[0].count.read == REPLIES
            return first.calls, again.calls, [sent, server.ledger[-1]["messages"]]

    first, again, (sent, last) = asyncio.run(scene())
    assert (first, again) == (REPLIES, 1)
    assert last in sent


def test_several_judges_stand_side_by_side(run: Path) -> None:
    def say(body: dict[str, Any]) -> dict[str, Any]:
        one = opinion(body)
        return one | {"stance": -one["stance"]} if body["model"] == "two" else one

    found, server = judged(run, say, models=["openai/one", "openai/two"])
    assert found.calls == len(server.ledger) == 2 * REPLIES
    with StoredRun(run) as held:
        channels = listed(held.facts())
        assert agreement_of(held) == found.agreement
    assert [(c.name, c.kind, c.returned) for c in channels] == [
        ("openai/one", "judge", ("served-name",)),
        ("openai/two", "judge", ("served-name",)),
    ]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", c.date) for c in channels)
    assert all("default temperature, at most 1000 tokens, at http://127.0.0.1" in c.asked for c in channels)
    rho = {(p.first, p.second): p.rho.value for p in found.agreement.pairs}
    assert len(rho) == 3
    assert rho[channels[0].identity, channels[1].identity] == pytest.approx(-1)
    assert rho[EMBEDDING, channels[0].identity] == pytest.approx(-rho[EMBEDDING, channels[1].identity])
    assert len(found.agreement.disagreements) == REPLIES


def test_other_settings_are_another_channel(run: Path) -> None:
    async def scene() -> list[str]:
        async with fake.serving() as server:
            Bench(server)
            found = []
            for options in ({}, {"temperature": 0.0}, {"max_tokens": 50}):
                one = await judging.judge(run, STUDY, ["openai/a"], api_base=server.base, **options)  # type: ignore[arg-type]
                found.append(identity(one))
            assert len(server.ledger) == 3 * REPLIES
            assert [b.get("temperature") for b in server.ledger[REPLIES : REPLIES + 2]] == [0.0, 0.0]
            return found

    assert len(set(asyncio.run(scene()))) == 3


# --- a cross-encoder ----------------------------------------------------------------------------


def test_a_cross_encoder_reads_the_run_without_one_call(run: Path, tmp_path: Path) -> None:
    folder = make_model(tmp_path / "nli")
    found = asyncio.run(judging.judge(run, STUDY, [f"nli:{folder}"]))
    assert (found.calls, found.exit_code) == (0, 0)
    told = replies(run)
    readings = stored(run, identity(found))
    assert readings.keys() == told.keys()
    for reading in readings.values():
        assert reading.stance is not None
        assert reading.quote
    (channel,) = (outcome.count.channel for outcome in found.outcomes)
    assert (channel.kind, channel.name) == ("nli", f"nli:{folder}")
    seen: list[Progress] = []
    again = asyncio.run(judging.judge(run, STUDY, [f"nli:{folder}"], on_progress=seen.append))
    assert seen == []
    assert again.agreement == found.agreement


# --- mistakes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("models", "options", "words"),
    [
        ([], {}, "at least one judge"),
        (["echosim/corrector"], {}, "a reference target cannot judge"),
        (["gpt-4o"], {}, "has no provider"),
        (["opnai/gpt-4o"], {}, "did you mean 'openai'"),
        (["openai/a", "openai/a"], {"api_base": "https://x.example"}, "named twice"),
        (["openai/a"], {"api_base": "ftp://x"}, "scheme 'ftp:' is not allowed"),
        (["openai/a"], {"api_base": "http://x.example"}, "--allow-http"),
        (["openai/a"], {"api_base": "http://169.254.169.254/v1"}, "never allowed"),
        (["openai/a"], {"api_base": "https://u:p@x.example"}, "must not hold credentials"),
        (["openai/a"], {"api_base": "https://x.example", "temperature": 9.0}, "--temperature: "),
        (["openai/a"], {"api_key_env": "NO_SUCH_KEY"}, "set NO_SUCH_KEY in the environment"),
        (["openai/a"], {"api_base": "https://x.example", "api_key_env": "a b"}, "--api-key-env: "),
        (["nli:"], {}, "give a model or folder"),
        (["nli:x"], {"api_base": "https://x.example"}, "--api-base has no effect on a cross-encoder"),
    ],
)
def test_a_mistake_is_told_before_anything_is_asked(
    run: Path, models: list[str], options: dict[str, Any], words: str
) -> None:
    with pytest.raises(InputError) as caught:
        asyncio.run(judging.judge(run, STUDY, models, **options))
    assert words in str(caught.value)
    assert "u:p" not in str(caught.value)
    with StoredRun(run) as held:
        assert listed(held.facts()) == ()


def test_a_cross_encoder_that_is_not_there_is_told_first(run: Path, tmp_path: Path) -> None:
    async def scene() -> int:
        async with fake.serving() as server:
            models = ["openai/judge", f"nli:{tmp_path}"]
            with pytest.raises(EncoderError, match="cannot be loaded"):
                await judging.judge(run, STUDY, models, api_base=server.base)
            return len(server.ledger)

    assert asyncio.run(scene()) == 0


def test_many_calls_want_agreement_and_a_cap_is_one(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "CONFIRM_ABOVE", 10)
    asked: list[int] = []

    def agree(calls: int) -> bool:
        asked.append(calls)
        return len(asked) > 1

    with pytest.raises(InputError, match="24 paid calls are more than 10; agree with --yes"):
        judged(run, models=["openai/a", "openai/b"], agree=agree)
    capped, _ = judged(run, max_calls=10, agree=agree)
    assert (capped.calls, asked) == (10, [24])
    found, _ = judged(run, models=["openai/a", "openai/b"], agree=agree)
    assert (found.calls, asked) == (24, [24, 24])


def test_a_run_in_use_is_left_alone(run: Path) -> None:
    with reopen(run), pytest.raises(StorageError, match="in use"):
        judged(run)
