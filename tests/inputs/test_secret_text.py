"""What looks like a key is found and masked; what does not is left alone."""

from __future__ import annotations

import pytest

from echosim.inputs import secret_text
from echosim.inputs.secret_text import (
    has_key,
    keep_secret,
    masked,
    names_secret,
    secret_values,
    without_secrets,
)

KEYS = [
    "sk-" + "a1B2" * 8,
    "sk-ant-api03-" + "x" * 30,
    "gsk_" + "y" * 30,
    "AIza" + "Z" * 35,
    "hf_" + "q" * 30,
    "ghp_" + "0" * 36,
    "AKIA" + "ABCDEFGHIJKLMNOP",
    "xai-" + "k" * 40,
    "eyJhbGciOiJI.eyJzdWIiOiIx.sflKxwRJSM",
    "Bearer abcdefghijkl1234",
]


@pytest.mark.parametrize("key", KEYS)
def test_keys_are_found_and_masked(key):
    text = f"model: x # {key}, and more"
    assert has_key(text)
    assert key not in masked(text)
    assert masked(text).startswith("model: x # ")
    assert masked(text).endswith(", and more")


@pytest.mark.parametrize(
    "text",
    [
        "openai/gpt-4o-mini",
        "risk-averse people",
        "task-oriented-programming-language",
        "api_key_env: OPENAI_API_KEY",
        "sk-short",
        "the bearer of news",
        "https://example.org/v1",
        "flat-earth-holder",
    ],
)
def test_ordinary_text_is_left_alone(text):
    assert not has_key(text)
    assert masked(text) == text


def test_field_names():
    assert all(
        map(names_secret, ["api_key", "key", "secret", "password", "Authorization", "token", "apikey"])
    )
    assert not any(map(names_secret, ["api_key_env", "max_tokens", "keyboard", "model"]))


def test_values_of_the_environment_are_secret_by_the_variable_s_name_or_by_a_study(monkeypatch):
    monkeypatch.setattr(secret_text, "_named", set())
    environment = {
        "OPENAI_API_KEY": "plain words",
        "HF_TOKEN": "abcdef/ghi",
        "AWS_ACCESS_KEY_ID": "abcdef",
        "TOKENIZERS_PARALLELISM": "false-and-long",
        "MONKEY": "a-monkey",
        "LAB_CODE": "lab code",
        "USE_TOKEN": "true",
        "EMPTY_KEY": "",
    }
    # The longest first, so that no part of one is left of another; as a URL spells them, too.
    found = ["plain%20words", "abcdef%2Fghi", "plain words", "abcdef/ghi", "abcdef"]
    assert secret_values(environment) == found
    keep_secret("LAB_CODE")
    assert set(secret_values(environment)) == {*found, "lab code", "lab%20code"}


def test_a_text_of_many_lines_is_cleared_of_what_is_secret_here(monkeypatch):
    monkeypatch.setenv("MY_SECRET", "plain words")
    text = without_secrets(f"one plain words\n  File two: {KEYS[0]}\nplain%20words three")
    assert text == "one ***\n  File two: ***\n*** three"
