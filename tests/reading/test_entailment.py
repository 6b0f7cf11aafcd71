"""The cross-encoder path on a tiny model of random weights: the plumbing is real, the opinions are noise."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from echosim.errors import EncoderError
from echosim.persona_records import Persona
from echosim.reading.entailment import (
    ORDER,
    CrossEncoder,
    label_columns,
    load_cross_encoder,
    stance_by_sentence,
)

MEANINGS = ("entailment", "neutral", "contradiction")
REPLY = (
    "Many people at the lake tell that story. **No**, the eels follow the temperature of the water. "
    "I would trust the forecast!"
)


def make_model(folder: Path, labels: tuple[str, ...] = MEANINGS, window: int = 512) -> Path:
    """A BERT of random weights whose tokens are bytes; output i means `labels[i]`, with its weights."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    special = {"[PAD]": 0, "[CLS]": 1, "[SEP]": 2}
    bytewise = Tokenizer(
        models.BPE(vocab={**special, **{c: n + 3 for n, c in enumerate(letters)}}, merges=[])
    )
    bytewise.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bytewise.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 1), ("[SEP]", 2)],
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bytewise,
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        model_max_length=window,
    )
    torch.manual_seed(1)
    model = BertForSequenceClassification(
        BertConfig(
            vocab_size=len(letters) + 3,
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=64,
            initializer_range=0.5,  # at the usual 0.02 every text would read alike
            max_position_embeddings=window,
            id2label=dict(enumerate(labels)),
            label2id={label: n for n, label in enumerate(labels)},
        )
    )
    generator = torch.Generator().manual_seed(2)
    rows = {meaning: torch.randn(32, generator=generator) * 3 for meaning in MEANINGS}
    with torch.no_grad():
        for row, label in enumerate(labels):
            model.classifier.weight[row] = rows.get(label.lower(), torch.zeros(32))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> CrossEncoder:
    return load_cross_encoder(str(make_model(tmp_path_factory.mktemp("nli"))))


def test_probabilities_are_those_of_the_model(encoder: CrossEncoder) -> None:
    premises, hypotheses = ["One fish jumps.", "Rain."], ["It will rain.", "It is dry.", "It is wet."]
    found = encoder.probabilities(premises, hypotheses)
    assert found.shape == (2, 3, len(ORDER))
    assert found.sum(axis=2) == pytest.approx(1)
    assert float(np.ptp(found)) > 0.01
    alone = encoder.probabilities(premises[1:], hypotheses[2:])
    assert alone[0, 0] == pytest.approx(found[1, 2], abs=1e-6)


def test_the_order_of_the_labels_changes_nothing(tmp_path: Path, persona: Persona) -> None:
    found = []
    for number, order in enumerate(permutations(MEANINGS)):
        labels = tuple(label.upper() if number % 2 else label for label in order)
        one = load_cross_encoder(str(make_model(tmp_path / str(number), labels)))
        found.append(one.read(persona, REPLY))
    assert abs(found[0].stance or 0) > 0.01
    assert all(one.stance == pytest.approx(found[0].stance, abs=2e-6) for one in found)
    assert len({one.sentence for one in found}) == 1


def test_wrong_labels_would_change_it(tmp_path: Path, encoder: CrossEncoder, persona: Persona) -> None:
    """The test above proves something only if the order matters to the model."""
    import json

    folder = make_model(tmp_path)
    config = json.loads((folder / "config.json").read_text())
    config["id2label"] = {"0": "contradiction", "1": "neutral", "2": "entailment"}
    (folder / "config.json").write_text(json.dumps(config))
    swapped = load_cross_encoder(str(folder)).read(persona, REPLY).stance
    own = encoder.read(persona, REPLY).stance
    assert swapped is not None
    assert own is not None
    assert abs(swapped - own) > 0.01


def test_the_mirror_hears_the_opposite(encoder: CrossEncoder, persona: Persona, mirror: Persona) -> None:
    one, other = encoder.read(persona, REPLY), encoder.read(mirror, REPLY)
    assert one.stance is not None
    assert other.stance == pytest.approx(-one.stance, abs=2e-6)
    assert one.sentence in REPLY.replace("**", "")


def test_a_reading_depends_on_its_texts_alone(encoder: CrossEncoder, persona: Persona) -> None:
    before = encoder.read(persona, REPLY)
    encoder.read(persona, "Something else altogether. And more of it, at some length.")
    assert encoder.read(persona, REPLY) == before


def test_a_reply_without_words_has_no_stance(encoder: CrossEncoder, persona: Persona) -> None:
    for reply in ("", " \n", "```\ncode\n```", "!!!"):
        assert encoder.read(persona, reply).stance is None


def test_a_correction_at_the_end_of_a_long_sentence_is_read(tmp_path: Path, encoder: CrossEncoder) -> None:
    """A premise beyond the window is read in overlapping parts, nothing is dropped."""
    short = load_cross_encoder(str(make_model(tmp_path, window=128)))
    long = "and the eels jump " * 30
    (plain,), (ended,) = (
        short.probabilities([long + end], ["It will rain tomorrow."]) for end in ("", "but it stays dry")
    )
    assert ended[0] != pytest.approx(plain[0], abs=1e-9)
    cut = list(short._windows(long, 60))
    assert len(cut) > 3
    assert all(len(part) <= 60 for part in cut)
    assert long.startswith(cut[0])
    assert long.endswith(cut[-1])
    assert encoder.window == 512


def test_a_statement_that_leaves_no_room_is_an_error(tmp_path: Path) -> None:
    short = load_cross_encoder(str(make_model(tmp_path, window=64)))
    with pytest.raises(EncoderError, match="reads 64 tokens at once, too few beside the statement 'xxx"):
        short.probabilities(["A reply."], ["x" * 60])


def test_identity_is_that_of_the_model(tmp_path: Path, encoder: CrossEncoder) -> None:
    again = load_cross_encoder(str(make_model(tmp_path / "same")))
    other = load_cross_encoder(str(make_model(tmp_path / "other", window=256)))
    assert len(encoder.identity) == 16
    assert again.identity == encoder.identity
    assert other.identity != encoder.identity


# --- labels and folders -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("labels", "columns"),
    [
        ({0: "contradiction", 1: "entailment", 2: "neutral"}, [1, 2, 0]),
        ({0: "ENTAILMENT", 1: "NEUTRAL", 2: "CONTRADICTION"}, [0, 1, 2]),
        ({0: "neutral", 1: "contradicts", 2: "entails"}, [2, 0, 1]),
    ],
)
def test_columns_follow_the_labels(labels: dict[int, str], columns: list[int]) -> None:
    assert label_columns(labels, "x") == columns


@pytest.mark.parametrize(
    "labels",
    [
        {0: "LABEL_0", 1: "LABEL_1", 2: "LABEL_2"},
        {0: "entailment", 1: "not_entailment"},
        {0: "entailment", 1: "neutral", 2: "contradiction", 3: "other"},
        {0: "entailment", 1: "entails", 2: "contradiction"},
        {0: "LABEL_0"},
        {},
    ],
)
def test_other_labels_are_refused_by_name(labels: dict[int, str]) -> None:
    with pytest.raises(EncoderError, match="needed: exactly entailment, neutral and contradiction") as caught:
        label_columns(labels, "some/model")
    assert all(label in str(caught.value) for label in labels.values())


def test_a_folder_that_is_no_inference_model_says_so(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(EncoderError, match=r"cross-encoder '.*empty' cannot be loaded") as caught:
        load_cross_encoder(str(tmp_path / "empty"))
    assert "\n" not in str(caught.value)
    with pytest.raises(EncoderError, match="has the labels LABEL_0, LABEL_1, LABEL_2"):
        load_cross_encoder(str(make_model(tmp_path / "nameless", ("LABEL_0", "LABEL_1", "LABEL_2"))))


def test_a_model_without_its_trained_head_is_refused(tmp_path: Path) -> None:
    """transformers would fill it with random numbers."""
    from safetensors.torch import load_file, save_file

    folder = make_model(tmp_path)
    weights = load_file(folder / "model.safetensors")
    kept = {name: tensor for name, tensor in weights.items() if not name.startswith("classifier")}
    save_file(kept, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(EncoderError, match=r"lacks trained weights for classifier\.bias"):
        load_cross_encoder(str(folder))


# --- the formula --------------------------------------------------------------------------------


def test_known_sentences() -> None:
    #             claim          affirming        negation        denying
    agrees = [[0.9, 0.1, 0.0], [0.8, 0.2, 0.0], [0.0, 0.1, 0.9], [0.1, 0.9, 0.0]]
    silent = [[0.0, 1.0, 0.0]] * 4
    denies_a_detail = [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [0.0, 1.0, 0.0]]
    found = stance_by_sentence(np.array([agrees, silent, denies_a_detail]), 2)
    assert found == pytest.approx([((0.9 - 0.1) + (0.9 - 0.0)) / 2, 0, 0])


logits = arrays.arrays(
    np.float64, st.tuples(st.integers(1, 4), st.just(5), st.just(3)), elements=st.floats(-9, 9)
)


@given(logits, st.integers(1, 4))
def test_every_score_is_in_bounds_and_sides_are_symmetric(given_logits: np.ndarray, supporting: int) -> None:
    weights = np.exp(given_logits)
    found = weights / weights.sum(axis=2, keepdims=True)
    scores = stance_by_sentence(found, supporting)
    assert all(-1 <= score <= 1 for score in scores)
    turned = np.concatenate([found[:, supporting:], found[:, :supporting]], axis=1)
    assert stance_by_sentence(turned, 5 - supporting) == pytest.approx([-score for score in scores])
