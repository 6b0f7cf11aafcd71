import asyncio
import json

import cast
import fake_server as fake
import pytest

from echosim.errors import InputError, LimitReachedError, PluginError
from echosim.protocols import Message, TargetRequest
from echosim.running import chat as chat_module
from echosim.running.budget import Budget, Spent
from echosim.running.chat import Chat, StoppedError, check_targets
from echosim.running.outcomes import MAX_REPLY
from echosim.study_records import Price, TargetSpec

CANARY = "sk-canary-4711-aaaabbbbcccc"


def request(*texts, key="k"):
    """User and assistant texts in turn, the user's last."""
    roles = ("user", "assistant")
    messages = tuple(Message(roles[n % 2], text) for n, text in enumerate(texts or ("Hello.",)))
    sides = (1,) * (len(messages) // 2 + 1)
    return TargetRequest(cast.persona().fact_sheet(), sides, messages, key)


async def ask(server, limits=None, target=None, **fields):
    chat = Chat(limits or cast.limits(timeout=1.0))
    try:
        return await chat.ask(target or cast.served(server.base, **fields), request())
    finally:
        await chat.close()


def choice(message, finish="stop"):
    return fake.completion(choices=[{"index": 0, "finish_reason": finish, "message": message}])


LONG = "word " * 2_000_000
FAULTS = [
    # name, answers in order (then normal ones), outcome, requests, text, flags
    ("ok", [fake.completion("Fine.")], "ok", 1, "Fine.", ()),
    ("500 twice", [lambda r: fake.error(500, "boom")] * 2, "ok", 3, "Reply 1.", ()),
    ("500 always", [lambda r: fake.error(500, "boom")] * 9, "transient", 3, "", ()),
    ("502", [lambda r: fake.error(502, "x")], "ok", 2, "Reply 1.", ()),
    ("529", [lambda r: fake.error(529, "overloaded")], "ok", 2, "Reply 1.", ()),
    ("429", [lambda r: fake.error(429, "slow", {"Retry-After": "0"})], "ok", 2, "Reply 1.", ()),
    ("hang", [fake.hang] * 9, "transient", 3, "", ()),
    ("drip", [fake.drip] * 9, "transient", 3, "", ()),
    ("cut body", [fake.cut], "ok", 2, "Reply 1.", ()),
    ("cut body always", [fake.cut] * 9, "malformed", 3, "", ()),
    ("dropped", [fake.drop] * 9, "transient", 3, "", ()),
    ("html", [lambda r: fake.raw("<html>busy</html>", "text/html")] * 9, "malformed", 3, "", ()),
    ("list", [lambda r: fake.raw("[]")] * 9, "malformed", 3, "", ()),
    (
        "error with 200",
        [lambda r: fake.raw('{"error": {"message": "boom", "code": 502}}')] * 9,
        "transient",
        3,
        "",
        (),
    ),
    ("no choices", [fake.completion(choices="absent")] * 9, "malformed", 3, "", ()),
    ("choices []", [fake.completion(choices=[])] * 9, "empty", 2, "", ()),
    ("choices [] once", [fake.completion(choices=[])], "ok", 2, "Reply 1.", ()),
    ("message null", [choice(None)] * 9, "empty", 2, "", ()),
    ("content null", [fake.completion(None)] * 9, "empty", 2, "", ()),
    ("blank", [fake.completion(" \n\t")] * 9, "empty", 2, "", ()),
    ("content a number", [fake.completion(5)] * 9, "malformed", 3, "", ()),
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
        1,
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
            reply = await ask(server)
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
        return await ask(server)

    reply = do(scene())
    assert (reply.outcome, reply.attempts, reply.text) == ("transient", 3, "")


def test_the_deadline_holds_against_a_drip(do):
    async def scene():
        async with fake.serving(default=fake.drip) as server:
            loop = asyncio.get_running_loop()
            begin = loop.time()
            await ask(server, cast.limits(timeout=0.3))
            return loop.time() - begin

    assert 0.85 < do(scene()) < 3.0


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
    assert 0.9 < waited < 3.0
    assert requests == 4


def test_what_is_sent(do, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    monkeypatch.setenv("LOCAL_KEY", "local-secret-1")

    async def scene():
        async with fake.serving() as server:
            await ask(server, max_tokens=33, temperature=0.5, top_p=0.9)
            chat = Chat(cast.limits())
            target = cast.served(server.base, api_key_env="LOCAL_KEY", system_prompt="Be brief.")
            await chat.ask(target, request("Hi.", "Yes?", "Well."), "Be kind.")
            await chat.close()
            return server

    server = do(scene())
    plain, keyed = server.ledger
    assert plain == {
        "model": "tiny",
        "messages": [{"role": "user", "content": "Hello."}],
        "max_tokens": 33,
        "temperature": 0.5,
        "top_p": 0.9,
    }
    assert keyed["messages"] == [
        {"role": "system", "content": "Be brief.\n\nBe kind."},
        {"role": "user", "content": "Hi."},
        {"role": "assistant", "content": "Yes?"},
        {"role": "user", "content": "Well."},
    ]
    assert "temperature" not in keyed
    assert CANARY not in json.dumps([server.ledger, server.headers])
    assert "local-secret-1" not in json.dumps(server.headers[0])
    assert server.headers[1]["Authorization"] == "Bearer local-secret-1"


@pytest.mark.parametrize("model", ["openai/tiny", "hosted_vllm/tiny", "deepseek/tiny", "openrouter/tiny"])
def test_no_key_of_the_environment_goes_to_an_api_base(do, monkeypatch, model):
    for name in ("OPENAI", "HOSTED_VLLM", "DEEPSEEK", "OPENROUTER"):
        monkeypatch.setenv(f"{name}_API_KEY", CANARY)

    async def scene():
        async with fake.serving() as server:
            reply = await ask(server, target=TargetSpec(model=model, label="m", api_base=server.base))
            return reply, server

    reply, server = do(scene())
    assert (reply.outcome, len(server.ledger)) == ("ok", 1)
    assert CANARY not in json.dumps([server.ledger, server.headers])


def test_a_key_of_any_shape_is_blotted_out(do, monkeypatch):
    monkeypatch.setenv("LOCAL_KEY", "plain words as a key")

    async def scene():
        echo = [lambda r: fake.error(401, "bad key: plain words as a key")]
        async with fake.serving(*echo) as server:
            return await ask(server, api_key_env="LOCAL_KEY")

    detail = do(scene()).detail
    assert "plain words" not in detail
    assert "[key]" in detail


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


def test_a_reference_target_goes_through_litellm_and_gets_the_request_itself(do, monkeypatch):
    seen = []

    class Echo:
        def reply(self, request):
            seen.append(request)
            return f"turn {request.turn}"

    monkeypatch.setattr(chat_module, "_reference", lambda name: Echo())
    asked = request("Hi.", "Yes?", "Well.")
    target = TargetSpec(model="echosim/echo(0.25)", label="echo")

    async def scene():
        chat = Chat(cast.limits())
        calls = []
        litellm = chat_module._litellm()
        real = litellm.acompletion

        async def counted(**options):
            calls.append(options["model"])
            return await real(**options)

        monkeypatch.setattr(litellm, "acompletion", counted)
        return await chat.ask(target, asked), await chat.ask(target, asked, "Be kind."), calls

    plain, arm, calls = do(scene())
    assert (plain.text, plain.outcome, plain.prompt_tokens) == ("turn 2", "ok", 0)
    assert arm.text == "turn 2"
    assert calls == ["echosim/echo(0.25)"] * 2
    assert seen[0] == asked
    assert seen[1].messages == (Message("system", "Be kind."), *asked.messages)
    assert (seen[1].sheet, seen[1].sides, seen[1].key) == (asked.sheet, asked.sides, asked.key)


def test_a_broken_reference_target_is_fatal_not_a_reply(do, monkeypatch):
    class Broken:
        def reply(self, request):
            raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(chat_module, "_reference", lambda name: Broken())

    async def scene():
        return await Chat(cast.limits()).ask(TargetSpec(model="echosim/broken", label="b"), request())

    reply = do(scene())
    assert (reply.outcome, reply.text) == ("fatal", "")
    assert "division by zero" in reply.detail


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


@pytest.mark.parametrize(
    ("model", "key", "base"),
    [
        ("openai/gpt-4o-mini", "OPENAI_API_KEY", "OPENAI_API_BASE"),
        ("deepseek/deepseek-chat", "DEEPSEEK_API_KEY", "DEEPSEEK_API_BASE"),
        ("openrouter/some/model", "OPENROUTER_API_KEY", "OPENROUTER_API_BASE"),
    ],
)
@pytest.mark.parametrize("fault", [lambda r: fake.error(500, "boom"), fake.drop], ids=["500", "dropped"])
def test_other_routes_of_litellm_make_one_request_an_attempt_too(do, monkeypatch, model, key, base, fault):
    async def scene():
        async with fake.serving(default=fault) as server:
            monkeypatch.setenv(key, "env-secret-1")
            monkeypatch.setenv(base, server.base)
            return await ask(server, target=TargetSpec(model=model, label="m")), server

    reply, server = do(scene())
    assert len(server.ledger) == reply.attempts == 3
    assert reply.outcome == "transient"
    assert server.headers[0]["Authorization"] == "Bearer env-secret-1"


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


# --- before the first call ----------------------------------------------------------------------


def test_targets_are_checked_without_a_call(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("LOCAL_KEY", raising=False)
    base = "http://127.0.0.1:1/v1"
    check_targets([cast.served(base), TargetSpec(model="echosim/corrector", label="c")])
    with pytest.raises(InputError, match="set LOCAL_KEY in the environment"):
        check_targets([cast.served(base, api_key_env="LOCAL_KEY")])
    with pytest.raises(InputError, match="set OPENAI_API_KEY in the environment"):
        check_targets([TargetSpec(model="openai/gpt-4o-mini", label="mini")])
    with pytest.raises(InputError, match="has no provider"):
        check_targets([TargetSpec(model="nonsense", label="nonsense")])
    with pytest.raises(PluginError, match="unknown target 'corector'"):
        check_targets([TargetSpec(model="echosim/corector", label="c")])
    monkeypatch.setenv("LOCAL_KEY", "x")
    check_targets([cast.served(base, api_key_env="LOCAL_KEY")])
