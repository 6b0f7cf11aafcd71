"""A real OpenAI-compatible server over HTTP, with a tiny model of random weights.

It proves the plumbing and says nothing about behaviour: the model's words are noise.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import cast
import pytest

from echosim.protocols import Message, TargetRequest
from echosim.running.chat import Chat
from echosim.running.stored_run import StoredRun
from echosim.study_records import TargetSpec, UserSpec

pytestmark = pytest.mark.server

TEMPLATE = (
    "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)


def make_model(folder: Path) -> None:
    """A Llama of about 100,000 random weights whose tokens are bytes."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {"<s>": 0, "</s>": 1, **{letter: n + 2 for n, letter in enumerate(letters)}}
    bytewise = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    bytewise.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bytewise.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bytewise, bos_token="<s>", eos_token="</s>")
    tokenizer.chat_template = TEMPLATE
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=len(vocabulary),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=4096,
        bos_token_id=0,
        eos_token_id=1,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return response.status == 200
    except (urllib.error.URLError, OSError):
        return False


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """(base URL, model name) of `transformers serve`."""
    folder = tmp_path_factory.mktemp("server")
    make_model(folder / "tiny")
    # Its list of models fails where no cache folder exists.
    (folder / "home" / "hub").mkdir(parents=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "HF_HOME": str(folder / "home"),
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
    }
    environment.pop("HF_HUB_CACHE", None)
    command = Path(sys.executable).with_name("transformers")
    log = (folder / "log").open("w")
    process = subprocess.Popen(
        [str(command), "serve", str(folder / "tiny"), "--host", "127.0.0.1", "--port", str(port)],
        stdout=log,
        stderr=log,
        env=environment,
    )
    try:
        base = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 180
        while not answers(f"{base}/health"):
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.5)
        yield f"{base}/v1", str(folder / "tiny")
    finally:
        process.terminate()
        process.wait(timeout=30)
        log.close()


def target(server, **fields):
    base, name = server
    return TargetSpec(
        model=f"openai/{name}", label="tiny", api_base=base, max_tokens=16, temperature=0, **fields
    )


def test_one_question_over_http(server):
    async def scene():
        chat = Chat(cast.limits(timeout=120))
        request = TargetRequest(
            cast.persona().fact_sheet(), (1,), (Message("user", "Is it the tin?"),), "key"
        )
        try:
            return [await chat.ask(target(server), request, "Be brief.") for _ in range(2)]
        finally:
            await chat.close()

    first, again = asyncio.run(scene())
    assert first.outcome in ("ok", "truncated"), first.detail
    assert first.text
    assert first.text == again.text
    assert first.attempts == 1
    assert 0 < first.completion_tokens <= 16
    assert first.prompt_tokens >= len("Is it the tin?")


def test_an_unknown_model_is_no_reply(server):
    async def scene():
        base, _ = server
        chat = Chat(cast.limits(timeout=120))
        request = TargetRequest(cast.persona().fact_sheet(), (1,), (Message("user", "Hello?"),), "key")
        try:
            return await chat.ask(
                TargetSpec(model="openai/no/such-model", label="none", api_base=base), request
            )
        finally:
            await chat.close()

    reply = asyncio.run(scene())
    assert reply.text == ""
    assert reply.outcome not in ("ok", "truncated")


def test_a_study_over_http(server, tmp_path):
    study = cast.study(target(server), "echosim/corrector", turns=3, limits=cast.limits(timeout=120))
    summary = asyncio.run(cast.held(tmp_path, study))
    assert (summary.complete, summary.planned) == (4, 4), summary.reasons
    assert summary.calls == 6
    with StoredRun(tmp_path) as run:
        for found in run.transcripts():
            assert [turn.index for turn in found.turns] == [1, 2, 3]
            assert all(turn.reply for turn in found.turns)


LOUD = {"resampled", "dropped", "fallback"}


@pytest.mark.parametrize("engine", ["llm", "free"])
def test_a_model_of_noise_plays_the_user_and_every_line_of_it_is_accounted_for(server, tmp_path, engine):
    """Target and user are the same tiny model; what it cannot say is said by phrases and flagged."""
    voice = target(server).model_copy(update={"label": f"user {engine}"})
    users = (UserSpec(engine=engine, label=engine, model=voice, same_family=True),)
    study = cast.study(target(server), turns=3, seeds=(1,), users=users, limits=cast.limits(timeout=120))
    summary = asyncio.run(cast.held(tmp_path, study))
    assert (summary.complete, summary.planned) == (1, 1), summary.reasons
    with StoredRun(tmp_path) as run:
        (found,) = run.transcripts()
    assert len(found.turns) == 3
    for turn in found.turns:
        assert turn.user
        assert {flag.partition(":")[0] for flag in turn.user_flags} <= LOUD
        # The answers end at max_tokens, so no line of the model's is whole.
        assert turn.user_flags[-1] == "fallback"
        assert len(turn.user_flags) == 4
    lines = 3 * 3
    replies = 3
    if engine == "llm":
        assert summary.calls == lines + replies
        assert all(turn.report.private is not None for turn in found.turns)
    else:
        # Six questions in each of three turns, each asked twice, and no number among the answers.
        assert summary.calls == lines + replies + 2 * 6 * 3
        assert all(turn.report.private is None and turn.report.reason for turn in found.turns)
        assert len({turn.after.log_odds for turn in found.turns}) == 1
