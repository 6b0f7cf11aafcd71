import asyncio
import json

import cast
import fake_server as fake
import pytest
from cast import ask, request

from echosim.errors import InputError, LimitReachedError
from echosim.running.budget import Budget, Spent
from echosim.running.chat import Chat, StoppedError
from echosim.running.outcomes import MAX_REPLY
from echosim.study_records import Price

CANARY = "sk-canary-4711-aaaabbbbcccc"


def choice(message, finish="stop"):
    return fake.completion(choices=[{"index": 0, "finish_reason": finish, "message": message}])


LONG = "word " * 2_000_000
FAULTS = [
    # name, answers in order (then normal ones), outcome, requests, text, flags
    ("ok", [fake.completion("Fine.")], "ok", 1, "Fine.", ()),
    ("500 twice", [lambda r: fake.error(500, "boom")] * 2, "ok", 3, "Reply 1.", ()),
    ("500 five times", [lambda r: fake.error(500, "boom")] * 5, "ok", 6, "Reply 1.", ()),
    ("500 always", [lambda r: fake.error(500, "boom")] * 9, "transient", 6, "", ()),
    ("502", [lambda r: fake.error(502, "x")], "ok", 2, "Reply 1.", ()),
    ("529", [lambda r: fake.error(529, "overloaded")], "ok", 2, "Reply 1.", ()),
    ("429", [lambda r: fake.error(429, "slow", {"Retry-After": "0"})], "ok", 2, "Reply 1.", ()),
    ("cut body", [fake.cut], "ok", 2, "Reply 1.", ()),
    ("cut body always", [fake.cut] * 9, "malformed", 6, "", ()),
    ("dropped", [fake.drop] * 9, "transient", 6, "", ()),
    ("html", [lambda r: fake.raw("<html>busy</html>", "text/html")] * 9, "malformed", 6, "", ()),
    ("list", [lambda r: fake.raw("[]")] * 9, "malformed", 6, "", ()),
    (
        "error with 200",
        [lambda r: fake.raw('{"error": {"message": "boom", "code": 502}}')] * 9,
        "transient",
        6,
        "",
        (),
    ),
    ("no choices", [fake.completion(choices="absent")] * 9, "malformed", 6, "", ()),
    ("choices []", [fake.completion(choices=[])] * 9, "empty", 2, "", ()),
    ("choices [] once", [fake.completion(choices=[])], "ok", 2, "Reply 1.", ()),
    ("message null", [choice(None)] * 9, "empty", 2, "", ()),
    ("content null", [fake.completion(None)] * 9, "empty", 2, "", ()),
    ("blank", [fake.completion(" \n\t")] * 9, "empty", 2, "", ()),
    ("content a number", [fake.completion(5)] * 9, "malformed", 6, "", ()),
    ("filter", [fake.completion("Half a", "content_filter")] * 9, "filtered", 1, "", ()),
    ("filter, null", [choice(None, "content_filter")] * 9, "filtered", 1, "", ()),
    ("filter by 400", [lambda r: fake.error(400, "no", code="content_filter")] * 9, "filtered", 1, "", ()),
    (
        "refusal field",
        [choice({"role": "assistant", "content": None, "refusal": "I will not."})] * 9,
        "refused",
        1,
        "",
        (),
    ),
    ("length", [fake.completion("Half a", "length")], "truncated", 1, "Half a", ("truncated",)),
    (
        "too long",
        [lambda r: fake.error(400, "maximum context length is 10 tokens", code="context_length_exceeded")]
        * 9,
        "too_long",
        1,
        "",
        (),
    ),
    ("401", [lambda r: fake.error(401, f"Incorrect API key provided: {CANARY}")] * 9, "fatal", 1, "", ()),
    ("403", [lambda r: fake.error(403, "forbidden")] * 9, "fatal", 1, "", ()),
    ("404", [lambda r: fake.error(404, "The model `tiny` does not exist")] * 9, "fatal", 1, "", ()),
    ("400", [lambda r: fake.error(400, "no such field")] * 9, "fatal", 1, "", ()),
    (
        "quota",
        [lambda r: fake.error(429, "You exceeded your current quota", code="insufficient_quota")] * 9,
        "fatal",
        3,
        "",
        (),
    ),
    (
        "redirect",
        [lambda r: fake.web.Response(status=307, headers={"Location": "/elsewhere/chat/completions"})] * 9,
        "fatal",
        1,
        "",
        (),
    ),
    ("10 MB", [fake.completion(LONG)], "truncated", 1, LONG[:MAX_REPLY], ("cut",)),
    (
        "half character",
        [lambda r: fake.raw(json.dumps(fake.completion("a\ud800b")))],
        "ok",
        1,
        "a\ufffdb",
        ("cleaned",),
    ),
    ("NUL", [fake.completion("a\0b")], "ok", 1, "ab", ("cleaned",)),
    ("no usage", [fake.completion("Fine.", usage="absent")], "ok", 1, "Fine.", ("usage_estimated",)),
    (
        "usage below zero",
        [fake.completion("Fine.", usage={"prompt_tokens": -5, "completion_tokens": 3, "total_tokens": -2})],
        "ok",
        1,
        "Fine.",
        ("usage_estimated",),
    ),
]


@pytest.mark.parametrize(
    ("plan", "outcome", "requests", "text", "flags"), [f[1:] for f in FAULTS], ids=[f[0] for f in FAULTS]
)
def test_what_comes_back_is_typed_and_counted(do, plan, outcome, requests, text, flags):
    async def scene():
        async with fake.serving(*plan) as server:
            reply = await ask(server.base)
            return reply, len(server.ledger)

    reply, ledger = do(scene())
    assert (reply.outcome, reply.text, reply.flags) == (outcome, text, flags)
    assert ledger == requests == reply.attempts
    assert bool(reply.detail) == (outcome not in ("ok", "truncated"))
    assert "\n" not in reply.detail
    assert len(reply.detail) <= 300
    assert "Traceback" not in reply.detail
    assert ".py" not in reply.detail
    assert CANARY not in repr(reply)


def test_a_server_that_is_down_is_transient(do):
    async def scene():
        async with fake.serving() as server:
            pass
        return await ask(server.base)

    reply = do(scene())
    assert (reply.outcome, reply.attempts, reply.text) == ("transient", 6, "")


@pytest.mark.parametrize("silence", [fake.hang, fake.drip])
def test_the_deadline_holds_against_no_byte_and_against_one_now_and_then(do, silence):
    async def scene():
        async with fake.serving(silence) as server:
            reply = await ask(server.base, cast.limits(timeout=2.0))
            return reply, len(server.ledger)

    reply, requests = do(scene())
    assert (reply.outcome, reply.attempts, requests) == ("ok", 2, 2)


def test_a_slot_held_by_silence_is_free_at_the_deadline_and_others_go_on_before(do):
    """The silent server answers nothing until the other has answered everything: nobody waits for it."""

    async def scene():
        through = asyncio.Event()

        async def silent(_request):
            await through.wait()
            return fake.web.json_response(fake.completion("late"))

        async with fake.serving(default=silent) as mute, fake.serving() as sound:
            chat = Chat(cast.limits(timeout=60.0, in_flight=4))
            held = [
                asyncio.create_task(chat.ask(cast.served(mute.base, "mute"), request(key=str(n))))
                for n in range(8)
            ]
            spoken = [chat.ask(cast.served(sound.base, "sound"), request(key=str(n))) for n in range(40)]
            replies = await asyncio.gather(*spoken)
            waiting = sum(not task.done() for task in held)
            through.set()
            late = await asyncio.gather(*held)
            await chat.close()
            return replies, waiting, late

    replies, waiting, late = do(scene())
    assert [reply.outcome for reply in replies] == ["ok"] * 40
    assert waiting == 8
    assert [reply.text for reply in late] == ["late"] * 8


def test_retry_after_is_waited_for_by_all_of_that_server(do):
    async def scene():
        slow = [lambda r: fake.error(429, "slow", {"Retry-After": "1"})]
        async with fake.serving(fake.completion("first"), *slow) as server:
            chat = Chat(cast.limits())
            target = cast.served(server.base)
            loop = asyncio.get_running_loop()
            await chat.ask(target, request(key="first"))
            begin = loop.time()
            one = asyncio.create_task(chat.ask(target, request(key="a")))
            await asyncio.sleep(0.2)
            await chat.ask(target, request(key="b"))
            waited = loop.time() - begin
            await one
            await chat.close()
            return waited, len(server.ledger)

    waited, requests = do(scene())
    assert waited > 0.9
    assert requests == 4


@pytest.mark.parametrize("status", [401, 404])
def test_a_fatal_error_stops_its_target_after_one_request(do, status):
    async def scene():
        async with (
            fake.serving(default=lambda r: fake.error(status, "no")) as broken,
            fake.serving() as sound,
        ):
            chat = Chat(cast.limits())
            bad, good = cast.served(broken.base, "bad"), cast.served(sound.base, "good")
            asked = [chat.ask(target, request(key=str(n))) for n in range(20) for target in (bad, good)]
            replies = await asyncio.gather(*asked)
            await chat.close()
            return replies, len(broken.ledger), len(sound.ledger)

    replies, broken, sound = do(scene())
    assert (broken, sound) == (1, 20)
    assert [reply.outcome for reply in replies] == ["fatal", "ok"] * 20
    assert len({reply.detail for reply in replies[::2]}) == 1


def test_calls_in_flight_are_bounded_for_each_server(do):
    async def scene():
        async def slow(_request):
            await asyncio.sleep(0.05)
            return fake.web.json_response(fake.completion())

        async with fake.serving(default=slow) as server:
            chat = Chat(cast.limits(in_flight=4))
            target = cast.served(server.base)
            await asyncio.gather(*(chat.ask(target, request(key=str(n))) for n in range(20)))
            await chat.close()
            return server.peak

    assert do(scene()) == 4


def test_stop_starts_no_further_call_and_lets_the_one_under_way_end(do):
    async def scene():
        async def slow(_request):
            await asyncio.sleep(0.3)
            return fake.web.json_response(fake.completion("late"))

        async with fake.serving(fake.completion("probe"), default=slow) as server:
            chat = Chat(cast.limits(in_flight=1))
            target = cast.served(server.base)
            await chat.ask(target, request())
            under_way = asyncio.create_task(chat.ask(target, request(key="a")))
            waiting = asyncio.create_task(chat.ask(target, request(key="b")))
            await asyncio.sleep(0.1)
            chat.stop()
            with pytest.raises(StoppedError):
                await waiting
            with pytest.raises(StoppedError):
                await chat.ask(target, request(key="c"))
            reply = await under_way
            await chat.close()
            return reply.text, len(server.ledger)

    assert do(scene()) == ("late", 2)


# --- budget -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bounds", "price"),
    [
        ({"max_calls": 7}, None),
        ({"max_tokens": 400}, None),
        ({"max_cost": 0.001}, Price(input=10, output=10)),
    ],
)
def test_no_bound_is_ever_overspent(do, bounds, price):
    async def scene():
        async with fake.serving() as server:
            target = cast.served(server.base, price=price, max_tokens=20)
            limits = cast.limits(**bounds)
            budget = Budget(limits, (target,))
            chat = Chat(limits, budget)
            asked = [chat.ask(target, request(key=str(n))) for n in range(40)]
            ends = await asyncio.gather(*asked, return_exceptions=True)
            await chat.close()
            return ends, budget, len(server.ledger)

    ends, budget, requests = do(scene())
    refused = [end for end in ends if isinstance(end, LimitReachedError)]
    assert refused
    assert len(refused) + requests == 40
    assert budget.spent == Spent(requests, 11 * requests, 7 * requests, budget.spent.cost)
    name, bound = next(iter(bounds.items()))
    spent = {
        "max_calls": budget.spent.calls,
        "max_tokens": budget.spent.tokens,
        "max_cost": budget.spent.cost,
    }[name]
    assert 0.5 * bound < spent <= bound
    assert budget.reached == f"limit {name} {bound:g} reached"


def test_a_hanging_call_is_charged_at_its_worst(do):
    async def scene():
        async with fake.serving(fake.hang) as server:
            target = cast.served(server.base, max_tokens=20)
            limits = cast.limits(timeout=0.2)
            budget = Budget(limits, (target,))
            chat = Chat(limits, budget)
            await chat.ask(target, request())
            await chat.close()
            return budget.spent

    assert do(scene()) == Spent(2, 6 + 16 + 11, 20 + 7)


def test_max_cost_without_a_price_is_refused():
    with pytest.raises(InputError, match="max_cost: price of 'local' unknown"):
        Budget(cast.limits(max_cost=1.0), (cast.served("http://127.0.0.1:1/v1"),))
