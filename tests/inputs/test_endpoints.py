"""Rows 24, 25 and 30: model strings, addresses, variables."""

# ruff: noqa: E501 (tables: one case a line)

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echosim.inputs.endpoints import (
    api_base_fault,
    check_environment,
    default_label,
    model_fault,
    plugin_fault,
)
from echosim.inputs.personas import load_personas, shipped
from echosim.study_records import Study, TargetSpec


@pytest.mark.parametrize(
    "model",
    ["openai/gpt-4o-mini", "openrouter/anthropic/claude-3.5", "echosim/corrector", "echosim/mix(0.25)", "brand_new/x",
     "vertex_ai_beta/x", "ollama_chat/x", "xai/grok", "hosted_vllm/m"],
)  # fmt: skip
def test_models_that_pass(model):
    assert model_fault(model) is None


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("gpt-4o", "model 'gpt-4o' has no provider; examples: openai/gpt-4o-mini"),
        ("", "model '' has no provider"),
        ("openai/", "has no provider"),
        ("/gpt", "has no provider"),
        ("openai/gpt 4", "model 'openai/gpt 4' holds a space; examples"),
        ("opneai/gpt-4o", "unknown provider 'opneai'; did you mean 'openai'?"),
        ("anthropics/claude", "did you mean 'anthropic'?"),
        ("echosim/corector", "unknown target 'corector'; did you mean corrector"),
        ("echosim/", "target '' is not a name with options"),
        ("echosim/mix(", "write it like mix(0.25)"),
        ("echosim/mix(x)", "options must be numbers"),
        ("sk-abcdefghijklmnop12", "model '***' has no provider"),
    ],
)
def test_models_that_do_not(model, words):
    assert words in model_fault(model)


def test_options_are_tried_out():
    assert plugin_fault("target", "mix(0.25)") is None
    assert "mix(7)" in plugin_fault("target", "mix(7)")
    assert plugin_fault("arm", "none") is None
    assert len(plugin_fault("target", "mix(" + "9" * 5000)) < 200
    assert plugin_fault("arm", "none\u202e").isprintable()
    assert "unknown user 'embeded'; did you mean embedded?" in plugin_fault("user", "embeded")


def test_labels():
    assert default_label("openai/gpt-4o-mini") == "gpt-4o-mini"
    assert default_label("openrouter/a/b") == "a/b"
    assert default_label("echosim/mix(0.25)") == "mix(0.25)"


@pytest.mark.parametrize(
    "url",
    ["https://api.example.org/v1", "https://10.0.0.1", "http://127.0.0.1:8000/v1", "http://localhost:1", "http://[::1]:80/",
     "http://127.9.9.9", "HTTPS://EXAMPLE.org", "http://0x7f000001/"],
)  # fmt: skip
def test_addresses_that_pass(url):
    assert api_base_fault(url, allow_http=False) is None


METADATA = "link-local and metadata addresses are never allowed"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("file:///etc/passwd", "scheme 'file:' is not allowed"),
        ("ftp://example.org", "scheme 'ftp:' is not allowed"),
        ("api.example.org/v1", "has no http(s):// scheme"),
        ("localhost:8000", "has no http(s):// scheme"),
        ("//example.org", "has no http(s):// scheme"),
        ("https://", "no valid host"),
        ("https://exa mple.org", "no valid host"),
        ("https://example.org\\@127.0.0.1", "no valid host"),
        ("https://h:99999/", "not an address"),
        ("https://[::1", "not an address"),
        ("https://user:pa55word@example.org/v1", "must not hold credentials"),
        ("https://example.org/v1?key=abc", "must not hold '?'"),
        ("http://example.org/v1", "plain http leaves this machine unprotected"),
        ("http://192.168.0.5:8000", "set allow_http: true"),
        ("https://169.254.169.254/latest", METADATA),
        ("https://2852039166/", METADATA),
        ("https://0xA9FEA9FE/", METADATA),
        ("https://0251.0376.0251.0376/", METADATA),
        ("https://[fe80::1]/", METADATA),
        ("https://[fe80::1%25eth0]/", METADATA),
        ("https://[::ffff:169.254.169.254]/", METADATA),
        ("https://[fd00:ec2::254]/", METADATA),
        ("https://metadata.google.internal./x", METADATA),
    ],
)
def test_addresses_that_do_not(url, words):
    message = api_base_fault(url, allow_http=False)
    assert words in message
    assert "allowed: https://..., or http:// on 127.0.0.1 or localhost" in message
    assert "pa55word" not in message


def test_plain_http_can_be_permitted_but_never_to_metadata():
    assert api_base_fault("http://10.0.0.7:8000/v1", allow_http=True) is None
    assert METADATA in api_base_fault("http://169.254.169.254/", allow_http=True)


@given(st.text(max_size=40))
def test_any_text_gets_a_verdict_in_one_line(url):
    for message in (api_base_fault(url, allow_http=False), model_fault(url)):
        assert message is None or (message.isprintable() and len(message) < 400)


def study(*targets):
    return Study(name="s", personas=load_personas(shipped() / "flat-earth"), targets=targets)


def test_missing_keys_are_named_before_any_call_and_values_never_shown():
    targets = (
        TargetSpec(model="echosim/corrector", label="corrector"),
        TargetSpec(model="openai/gpt", label="a"),
        TargetSpec(model="anthropic/claude", label="b", api_key_env="MY_KEY"),
        TargetSpec(model="openai/local", label="c", api_base="http://127.0.0.1:1/v1"),
        TargetSpec(model="brand_new/x", label="d"),
        TargetSpec(model="gemini/x", label="e"),
    )
    faults = check_environment(study(*targets), {"GOOGLE_API_KEY": "canary", "OPENAI_API_KEY": ""})
    assert [(fault.path, fault.field) for fault in faults] == [("s", "targets.a"), ("s", "targets.b")]
    assert "set OPENAI_API_KEY, or name a variable in api_key_env" in faults[0].message
    assert "variable MY_KEY, named in api_key_env, is not set" in faults[1].message
    assert (
        check_environment(study(*targets), {"OPENAI_API_KEY": "x", "MY_KEY": "y", "GEMINI_API_KEY": "z"})
        == []
    )
