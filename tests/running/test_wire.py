import json

import cast
import fake_server as fake
import pytest
from cast import ask, request

from echosim.errors import InputError, PluginError
from echosim.protocols import Message
from echosim.running import wire
from echosim.running.chat import Chat, check_targets
from echosim.running.outcomes import from_error
from echosim.study_records import TargetSpec

CANARY = "sk-canary-4711-aaaabbbbcccc"


def test_what_is_sent(do, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    monkeypatch.setenv("LOCAL_KEY", "local-secret-1")

    async def scene():
        async with fake.serving() as server:
            await ask(server.base, max_tokens=33, temperature=0.5, top_p=0.9)
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
            reply = await ask(server.base, target=TargetSpec(model=model, label="m", api_base=server.base))
            return reply, server

    reply, server = do(scene())
    assert (reply.outcome, len(server.ledger)) == ("ok", 1)
    assert CANARY not in json.dumps([server.ledger, server.headers])


def test_a_key_of_any_shape_is_blotted_out(do, monkeypatch):
    monkeypatch.setenv("LAB_CODE", "plain words as a key")

    async def scene():
        echo = [lambda r: fake.error(401, "bad key: plain words as a key")]
        async with fake.serving(*echo) as server:
            target = cast.served(server.base, api_key_env="LAB_CODE")
            check_targets([target])
            return await ask(server.base, target=target)

    detail = do(scene()).detail
    assert "plain words" not in detail
    assert "[key]" in detail


def test_a_reference_target_goes_through_litellm_and_gets_the_request_itself(do, monkeypatch):
    seen = []

    class Echo:
        def reply(self, request):
            seen.append(request)
            return f"turn {request.turn}"

    monkeypatch.setattr(wire, "_reference", lambda name: Echo())
    asked = request("Hi.", "Yes?", "Well.")
    target = TargetSpec(model="echosim/echo(0.25)", label="echo")

    async def scene():
        chat = Chat(cast.limits())
        calls = []
        litellm = wire._litellm()
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

    monkeypatch.setattr(wire, "_reference", lambda name: Broken())

    async def scene():
        return await Chat(cast.limits()).ask(TargetSpec(model="echosim/broken", label="b"), request())

    reply = do(scene())
    assert (reply.outcome, reply.text) == ("fatal", "")
    assert "division by zero" in reply.detail


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
            return await ask(server.base, target=TargetSpec(model=model, label="m")), server

    reply, server = do(scene())
    assert len(server.ledger) == reply.attempts == 6
    assert reply.outcome == "transient"
    assert server.headers[0]["Authorization"] == "Bearer env-secret-1"


@pytest.mark.parametrize("provider", ["deepinfra", "nvidia_nim", "sambanova", "zai", "groq", "hosted_vllm"])
def test_no_route_sends_a_request_again_of_its_own_accord(do, provider):
    """On the first four litellm's `max_retries=0` alone is lost."""

    async def scene():
        async with fake.serving(default=lambda _: fake.error(500, "boom")) as server:
            target = TargetSpec(model=f"{provider}/m", label="m", api_base=server.base)
            attempt = await wire.Wire().ask(target, request().messages, 20.0)
            return attempt, server.ledger

    attempt, ledger = do(scene())
    assert (attempt.outcome, len(ledger)) == ("transient", 1)
    assert "max_retries" not in ledger[0]


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


HOSTED = [
    # model, header that carries the key; both over another transport of litellm
    ("openai/m", "Authorization"),
    ("perplexity/m", "Authorization"),
    ("anthropic/claude-3-5-haiku", "x-api-key"),
    ("gemini/gemini-2.0-flash", "x-goog-api-key"),
    ("azure/m", "api-key"),
    ("mistral/m", "Authorization"),
    ("deepseek/m", "Authorization"),
    ("openrouter/m", "Authorization"),
    ("cohere/command-r", "Authorization"),
    ("ollama_chat/m", "Authorization"),
    ("hosted_vllm/m", "Authorization"),
]


@pytest.mark.parametrize(("model", "header"), HOSTED, ids=[model for model, _ in HOSTED])
def test_no_route_follows_a_redirect_to_another_host(do, model, header):
    """Also those whose clients litellm makes itself: a key goes to the host that it is for."""

    async def scene():
        async with fake.serving() as other:
            elsewhere = fake.web.Response
            place = {"Location": other.base.replace("127.0.0.1", "localhost") + "/chat/completions"}
            async with fake.serving(default=lambda _: elsewhere(status=307, headers=place)) as server:
                litellm = wire._litellm()
                with pytest.raises(Exception) as caught:  # noqa: PT011
                    await litellm.acompletion(
                        model=model,
                        messages=[{"role": "user", "content": "Hello."}],
                        api_key=CANARY,
                        api_base=server.base,
                        max_retries=0,
                    )
                return server, other, caught.value

    server, other, error = do(scene())
    assert [CANARY in asked.get(header, "") for asked in server.headers] == [True]
    assert other.headers == []
    found = from_error(error, [CANARY])
    assert (found.outcome, found.stops_target) == ("fatal", True)
    assert "the server redirects" in found.detail
