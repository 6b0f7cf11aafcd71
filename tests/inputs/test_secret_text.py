"""What looks like a key is found and masked; what does not is left alone."""

from __future__ import annotations

import pytest

from echosim.inputs.secret_text import has_key, masked, names_secret

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
