"""How long one reply is tried for, and what a storm costs: a scripted wire on a clock that jumps."""

import asyncio
import itertools
from collections import Counter

import cast
import pytest
import virtual_time
from cast import request

from echosim.running import chat as chat_module
from echosim.running.budget import Budget, Spent
from echosim.running.chat import Chat
from echosim.running.outcomes import Attempt
from echosim.running.wire import Wire

_BACKOFF = chat_module._backoff
FINE = Attempt("ok", text="Fine.", prompt_tokens=11, completion_tokens=7, may_be_billed=True)
BROKEN = Attempt("transient", detail="500: boom")


def throttled(retry_after=None):
    return Attempt("transient", detail="429: slow down", throttled=True, retry_after=retry_after)


QUOTA = Attempt("fatal", detail="429: quota", stops_target=True, out_of_quota=True)


def now():
    return asyncio.get_running_loop().time()


@pytest.fixture
def wire(monkeypatch):
    """Sets what is answered: a function of the target's label. Gives the times of the requests."""
    monkeypatch.setattr(chat_module, "_backoff", _BACKOFF)
    sent = []

    def answered_by(answer, latency=0.1):
        async def ask(self, target, messages, seconds):
            sent.append((now(), target.label))
            if latency > seconds:
                await asyncio.sleep(seconds)
                return Attempt("transient", detail="no whole answer", may_be_billed=True)
            await asyncio.sleep(latency)
            return answer(target.label)

        monkeypatch.setattr(Wire, "ask", ask)
        return sent

    return answered_by


def served(label="local", **fields):
    return cast.served("http://127.0.0.1:1/v1", label, **fields)


def asked(chat, count, target=None):
    return asyncio.gather(*(chat.ask(target or served(), request(key=str(n))) for n in range(count)))


@pytest.mark.parametrize(
    ("storm", "pause", "in_flight"), [(60.0, 1.0, 32), (60.0, 5.0, 4), (300.0, 20.0, 64)]
)
def test_a_storm_costs_its_first_burst_and_one_request_a_pause(wire, storm, pause, in_flight):
    begin = 5.0
    sent = wire(lambda _: throttled(pause) if begin <= now() < begin + storm else FINE)

    async def scene():
        chat = Chat(cast.limits(in_flight=in_flight))
        target = served()

        async def talk(n):
            return [await chat.ask(target, request(key=f"{n} {turn}")) for turn in range(10)]

        async def ends_later():
            await asyncio.sleep(begin - 0.5)
            return await asyncio.gather(*(talk(n) for n in range(2 * in_flight)))

        await chat.ask(target, request())
        return [reply for replies in await ends_later() for reply in replies], now()

    replies, end = virtual_time.run(scene())
    assert {reply.outcome for reply in replies} == {"ok"}
    during = [at for at, _ in sent if begin <= at + 0.1 < begin + storm]
    assert len(during) <= in_flight + storm / pause
    assert end <= begin + storm + 15 + pause


@pytest.mark.parametrize("trouble", [BROKEN, throttled(), throttled(0.0), throttled(3.0)])
def test_a_reply_is_given_up_after_its_time(wire, trouble):
    wire(lambda _: trouble)

    async def scene():
        chat = Chat(cast.limits(turn_timeout=100.0))
        reply = await chat.ask(served(), request())
        return reply, now()

    reply, end = virtual_time.run(scene())
    assert reply.outcome == "transient"
    assert reply.text == ""
    if trouble.throttled:
        assert 30 < end <= 100.2
        assert reply.attempts > 6
        assert reply.detail.startswith("gave up after 100 s: 429")
    else:
        assert (reply.attempts, reply.detail) == (6, "500: boom")
        assert 7.5 < end < 24.0


def test_the_last_attempt_has_only_the_time_that_is_left(wire):
    sent = wire(lambda _: FINE, latency=1000.0)

    async def scene():
        reply = await Chat(cast.limits(timeout=40.0, turn_timeout=100.0)).ask(served(), request())
        return reply, now()

    reply, end = virtual_time.run(scene())
    assert (reply.outcome, reply.attempts, len(sent)) == ("transient", 3, 3)
    assert end == pytest.approx(100.0)
    assert reply.completion_tokens == 3 * 600


def test_waiting_for_room_of_our_own_is_no_part_of_a_reply_s_time(wire):
    wire(lambda _: FINE, latency=50.0)

    async def scene():
        replies = await asked(Chat(cast.limits(timeout=60.0, turn_timeout=60.0, in_flight=1)), 5)
        return replies, now()

    replies, end = virtual_time.run(scene())
    assert [reply.outcome for reply in replies] == ["ok"] * 5
    assert end == pytest.approx(250.0)


def test_waits_grow_and_are_the_same_every_time(wire):
    sent = wire(lambda _: BROKEN)
    runs = []
    for _ in range(2):
        sent.clear()
        virtual_time.run(Chat(cast.limits()).ask(served(), request()))
        runs.append([later - sooner - 0.1 for (sooner, _), (later, _) in itertools.pairwise(sent)])
    assert runs[0] == runs[1]
    for n, wait in enumerate(runs[0]):
        assert 0.25 * 2**n <= wait <= 0.75 * 2**n


def test_a_spent_quota_stops_its_target_after_three_and_no_other(wire):
    sent = wire(lambda label: QUOTA if label == "poor" else FINE)

    async def scene():
        chat = Chat(cast.limits())
        return await asyncio.gather(asked(chat, 20, served("poor")), asked(chat, 20, served("rich")))

    poor, rich = virtual_time.run(scene())
    assert Counter(label for _, label in sent) == {"poor": 3, "rich": 20}
    assert {(reply.outcome, reply.detail) for reply in poor} == {("fatal", "429: quota")}
    assert {reply.outcome for reply in rich} == {"ok"}


def test_a_quota_spent_half_way_stops_those_under_way_too(wire):
    sent = wire(lambda _: QUOTA if now() > 1 else FINE)

    async def scene():
        chat = Chat(cast.limits(in_flight=8))
        replies = [await asked(chat, 8)]
        await asyncio.sleep(1)
        return [*replies, await asked(chat, 30)]

    early, late = virtual_time.run(scene())
    assert {reply.outcome for reply in early} == {"ok"}
    assert {reply.outcome for reply in late} == {"fatal"}
    assert len(sent) == 8 + 8


def test_a_quota_that_says_so_once_is_asked_again(wire):
    answers = iter([FINE, QUOTA, QUOTA, FINE, QUOTA, QUOTA, FINE])
    wire(lambda _: next(answers))

    async def scene():
        chat = Chat(cast.limits())
        return [await chat.ask(served(), request(key=str(n))) for n in range(3)]

    assert [(reply.outcome, reply.attempts) for reply in virtual_time.run(scene())] == [
        ("ok", 1),
        ("ok", 3),
        ("ok", 3),
    ]


def test_the_room_shrinks_for_all_of_a_server_and_for_no_other(wire):
    wire(lambda label: throttled() if label == "busy" and now() < 3 else FINE)

    async def scene():
        chat = Chat(cast.limits(in_flight=10))
        busy, calm = served("busy"), cast.served("http://127.0.0.1:2/v1", "calm")
        await asyncio.gather(asked(chat, 20, busy), asked(chat, 20, calm))
        rooms = {name[-4]: endpoint.room for name, endpoint in chat._endpoints.items()}
        await asked(chat, 200, busy)
        return rooms, {name[-4]: endpoint.room for name, endpoint in chat._endpoints.items()}

    during, after = virtual_time.run(scene())
    assert during["1"] < 10
    assert during["2"] == 10
    assert after["1"] == 10


@pytest.mark.parametrize("trouble", [BROKEN, Attempt("malformed", detail="html", may_be_billed=True)])
def test_trouble_that_is_not_about_the_rate_leaves_the_room_alone(wire, trouble):
    turns = iter(range(10**6))
    wire(lambda _: trouble if next(turns) % 10 == 3 else FINE)

    async def scene():
        chat = Chat(cast.limits(in_flight=10))
        replies = await asked(chat, 200)
        return replies, [endpoint.room for endpoint in chat._endpoints.values()]

    replies, rooms = virtual_time.run(scene())
    assert {reply.outcome for reply in replies} == {"ok"}
    assert rooms == [10]


def test_requests_a_minute_are_kept_to(wire):
    sent = wire(lambda _: FINE)

    async def scene():
        return await asked(Chat(cast.limits(rpm=60, in_flight=32)), 100)

    virtual_time.run(scene())
    times = [at for at, _ in sent]
    assert len(times) == 100
    assert max(sum(start <= at < start + 60 for at in times) for start in times) <= 60
    assert times[-1] == pytest.approx(99.0, abs=0.5)


def test_tokens_a_minute_are_kept_to_by_what_calls_really_use(wire):
    sent = wire(lambda _: FINE)

    async def scene():
        return await asked(Chat(cast.limits(tpm=1800, in_flight=32)), 50)

    virtual_time.run(scene())
    # 18 tokens each: 100 calls a minute, once the 600 that each might use are known not to be used.
    assert sent[-1][0] == pytest.approx(49 * 0.6, rel=0.15)


# --- usage that cannot be --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prompt", "completion", "believed"),
    [
        (11, 7, True),
        (3000, 7, True),  # a long system prompt of the server's own
        (10**9, 7, False),
        (11, 10**9, False),
        (11, 601, False),
        (11, 0, False),  # there are words
        (None, 7, False),
    ],
)
def test_usage_that_cannot_be_is_estimated_and_marked(wire, prompt, completion, believed):
    wire(
        lambda _: Attempt(
            "ok", text="It is the wind that howls.", prompt_tokens=prompt, completion_tokens=completion
        )
    )

    async def scene():
        budget = Budget(cast.limits(), ())
        return await Chat(cast.limits(), budget).ask(served(), request()), budget.spent

    reply, spent = virtual_time.run(scene())
    assert (reply.flags == ()) is believed
    assert spent == Spent(1, reply.prompt_tokens, reply.completion_tokens)
    if believed:
        assert (spent.prompt_tokens, spent.completion_tokens) == (prompt, completion)
    else:
        assert reply.flags == ("usage_estimated",)
        assert (spent.prompt_tokens, spent.completion_tokens) == (2, 6)


def test_a_prompt_of_the_server_s_own_is_reserved_from_the_second_call_on(wire):
    hidden = 1000
    wire(lambda _: Attempt("ok", text="Fine.", prompt_tokens=hidden + 22, completion_tokens=20))

    async def scene():
        bounds = cast.limits(max_tokens=20_000, in_flight=16)
        chat = Chat(bounds, budget := Budget(bounds, ()))
        target = served(max_tokens=20)
        asked_ = (chat.ask(target, request(key=str(n))) for n in range(40))
        ends = await asyncio.gather(*asked_, return_exceptions=True)
        return ends, budget.spent.tokens

    ends, tokens = virtual_time.run(scene())
    assert sum(isinstance(end, Exception) for end in ends) == 21
    assert tokens == 19 * 1042
