import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echosim.inputs import model_family
from echosim.inputs.model_family import family

KIN = [
    ("gpt", "openai/gpt-4o azure/gpt-5 openai/chatgpt-4o-latest openai/o3-mini openai/o1 openai/gpt-4o-mini"),
    ("claude", "anthropic/claude-sonnet-4-5 openrouter/anthropic/claude-3.5-haiku bedrock/claude-opus"),
    (
        "gemini",
        "gemini/gemini-2.5-pro vertex_ai/gemini-1.5-flash openrouter/google/gemma-3-27b-it ollama/gemma2",
    ),
    (
        "llama",
        "ollama/llama3 together_ai/meta-llama/Llama-3.3-70B-Instruct groq/llama-4-scout ollama/codellama",
    ),
    (
        "mistral",
        "mistral/mistral-large mistral/ministral-8b openrouter/mistralai/Mixtral-8x7B mistral/codestral",
    ),
    ("qwen", "openrouter/qwen/qwen3-32b ollama/qwen2.5 ollama/qwq"),
    ("deepseek", "deepseek/deepseek-chat openrouter/deepseek/r1"),
    ("grok", "xai/grok-4 openrouter/x-ai/grok-4-fast"),
]
"""(family, models)."""


@pytest.mark.parametrize(("name", "models"), KIN, ids=[name for name, _ in KIN])
def test_the_models_of_one_maker_are_kin_by_whatever_road(name, models):
    assert {family(model) for model in models.split()} == {name}


def test_families_are_told_apart():
    assert len({family(models.split()[0]) for _, models in KIN}) == len(KIN)


@pytest.mark.parametrize(
    ("one", "other", "kin"),
    [
        ("openai/my-model", "openai/my-model", True),
        ("openai/my-model", "hosted_vllm/my-model-v2", True),
        ("openai/local-7b", "openai/other-7b", False),
        ("openai//srv/models/tiny", "openai//srv/models/tiny", True),
    ],
)
def test_of_own_names_only_the_first_word_is_known(one, other, kin):
    assert (family(one) == family(other)) == kin


@given(st.text(min_size=1, max_size=60))
def test_every_name_has_a_family_and_case_does_not_matter(name):
    assert family(f"openai/{name.replace('/', '')}x")
    assert family("openai/GPT-4o") == family("openai/gpt-4o")


@given(st.sampled_from([model for _, models in KIN for model in models.split()]))
def test_a_model_is_its_own_kin(model):
    assert family(model) == family(model.upper())


def test_the_example():
    assert doctest.testmod(model_family).failed == 0
