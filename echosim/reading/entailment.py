"""Stance by natural-language inference: the only file that loads a cross-encoder from transformers.

A cross-encoder reads a sentence of the reply (premise) together with a statement (hypothesis) and gives
P(entailment), P(neutral), P(contradiction). With claim c, negation n, affirming statements A and denying
statements D, sentence i of a reply has

    s_i = (max over c and A of E(i, h) - max over n and D of E(i, h)) / 2 + (C(i, n) - C(i, c)) / 2,

E the probability of entailment and C that of contradiction; stance = mean of s_i over the sentences, in
[-1, 1]. Swapping claim and negation with their statements flips the sign. Contradiction counts for claim
and negation alone: two statements on one side may contradict each other in details. Zero-shot stance by
entailment follows Yin et al. 2019, "Benchmarking Zero-shot Text Classification"; the mean over sentences
and the four terms are ours and not fitted to anything.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from echosim.errors import EncoderError
from echosim.persona_records import Persona
from echosim.reading.sentences import split
from echosim.reading.subject import sentence

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Probabilities = NDArray[np.float64]

VERSION = "entailment 1"
"""Raised whenever the same probabilities would give another stance."""
ORDER = ("entailment", "neutral", "contradiction")
"""Order of the columns, whatever the model's own order is."""
LONGEST = 512
"""Tokens read at once, however many the model says it could."""
WINDOW_OVERLAP = 32
LEAST_ROOM = 16
"""Tokens that must be left for the reply beside the longest statement."""
BATCH = 32
DECIMALS = 6

_SPELLINGS = {
    "entailment": {"entailment", "entail", "entails", "entailed"},
    "neutral": {"neutral"},
    "contradiction": {"contradiction", "contradict", "contradicts", "contradicted"},
}


@dataclass(frozen=True, slots=True)
class Entailment:
    """One reply as a cross-encoder reads it.

    Attributes:
        stance: in [-1, 1] toward the persona's claim; None only for a reply without words.
        sentence: the sentence with the largest |s_i|, "" without one.
    """

    stance: float | None
    sentence: str = ""


class CrossEncoder:
    """A three-way inference model.

    Attributes:
        name: as the user named it.
        identity: 16 hex characters over weights, labels, tokenizer and version.
        window: tokens of premise and hypothesis together.
    """

    def __init__(self, model: Any, tokenizer: Any, name: str) -> None:
        self.name = name
        self._columns = label_columns(model.config.id2label, name)
        self.window = min(
            LONGEST,
            int(tokenizer.model_max_length),
            int(getattr(model.config, "max_position_embeddings", LONGEST)),
        )
        self._model = model
        self._tokenizer = tokenizer
        self.identity = _identity(model, tokenizer, self._columns, self.window)

    def read(self, persona: Persona, reply: str) -> Entailment:
        """Stance of one reply toward the persona's claim; depends on these two texts alone.

        Raises:
            EncoderError: a statement leaves no room for the reply, or the model gives no probabilities.
        """
        sentences = split(reply)
        if not sentences:
            return Entailment(None)
        supporting = [sentence(persona.claim.text), *persona.affirming]
        opposing = [sentence(persona.claim.negation), *persona.denying]
        found = self.probabilities(sentences, [*supporting, *opposing])
        scores = stance_by_sentence(found, len(supporting))
        telling = max(range(len(sentences)), key=lambda i: abs(scores[i]))
        return Entailment(round(sum(scores) / len(scores), DECIMALS), sentences[telling])

    def probabilities(self, premises: Sequence[str], hypotheses: Sequence[str]) -> Probabilities:
        """P of `ORDER` for every premise and hypothesis, shape (premises, hypotheses, 3).

        A premise that does not fit is read in overlapping windows, whose probabilities are averaged.

        Raises:
            EncoderError: as for `read`.
        """
        import numpy as np

        room = self._room(hypotheses)
        windows = [list(self._windows(premise, room)) for premise in premises]
        pairs = sorted(
            {(window, hypothesis) for cut in windows for window in cut for hypothesis in hypotheses},
            key=lambda pair: (len(pair[0]) + len(pair[1]), pair),
        )
        found = dict(zip(pairs, self._forward(pairs), strict=True))
        return np.array(
            [
                [np.mean([found[window, hypothesis] for window in cut], axis=0) for hypothesis in hypotheses]
                for cut in windows
            ]
        )

    def _room(self, hypotheses: Sequence[str]) -> int:
        """Tokens for a premise beside the longest hypothesis."""
        longest = max(hypotheses, key=lambda text: len(self._tokens(text)))
        frame = int(self._tokenizer.num_special_tokens_to_add(pair=True))
        room = self.window - frame - len(self._tokens(longest))
        if room < LEAST_ROOM:
            raise EncoderError(
                f"cross-encoder '{self.name}' reads {self.window} tokens at once, too few beside the "
                f"statement '{longest[:60]}'; choose one with a longer window or shorten the statement"
            )
        return room

    def _windows(self, text: str, room: int) -> Iterator[str]:
        offsets = self._tokens(text)
        if len(offsets) <= room:
            yield text
            return
        overlap = min(WINDOW_OVERLAP, room // 2)
        for start in range(0, len(offsets) - overlap, room - overlap):
            inside = offsets[start : start + room]
            yield text[inside[0][0] : inside[-1][1]]

    def _tokens(self, text: str) -> list[tuple[int, int]]:
        """First and last character of every token."""
        offsets: list[tuple[int, int]] = self._tokenizer(
            text, add_special_tokens=False, return_offsets_mapping=True, truncation=False, verbose=False
        )["offset_mapping"]
        return offsets

    def _forward(self, pairs: Sequence[tuple[str, str]]) -> Probabilities:
        import numpy as np
        import torch

        out = np.empty((len(pairs), len(ORDER)))
        for start in range(0, len(pairs), BATCH):
            chosen = pairs[start : start + BATCH]
            batch = self._tokenizer(
                [premise for premise, _ in chosen],
                [hypothesis for _, hypothesis in chosen],
                padding=True,
                # A cut may come out a token longer than the same words did inside the whole sentence.
                truncation="only_first",
                max_length=self.window,
                return_tensors="pt",
            )
            with torch.inference_mode():
                logits = self._model(**batch).logits.double()
            out[start : start + len(chosen)] = torch.softmax(logits, dim=-1)[:, self._columns].numpy()
        if not np.isfinite(out).all():
            raise EncoderError(f"cross-encoder '{self.name}' gave a value that is no probability")
        return out


def stance_by_sentence(found: Probabilities, supporting: int) -> list[float]:
    """s_i of the module's formula, each in [-1, 1].

    Args:
        found: P of `ORDER`, shape (sentences, hypotheses, 3): the claim and its affirming statements
            first, then the negation and its denying ones.
        supporting: hypotheses of the first group, the claim included.
    """
    entails, contradicts = found[..., 0], found[..., 2]
    shared = entails[:, :supporting].max(axis=1) - entails[:, supporting:].max(axis=1)
    opposed = contradicts[:, supporting] - contradicts[:, 0]
    scores: list[float] = ((shared + opposed) / 2).tolist()
    return scores


def label_columns(id2label: dict[int, str], name: str) -> list[int]:
    """Which of the model's outputs is which of `ORDER`.

    Raises:
        EncoderError: the labels are not these three.
    """
    columns = [
        [int(place) for place, label in id2label.items() if str(label).strip().lower() in _SPELLINGS[meaning]]
        for meaning in ORDER
    ]
    if len(id2label) != len(ORDER) or any(len(found) != 1 for found in columns):
        given = ", ".join(str(label) for _, label in sorted(id2label.items())[:8])
        raise EncoderError(
            f"cross-encoder '{name}' has the labels {given or 'none'}; needed: exactly entailment, neutral "
            "and contradiction in id2label of its config.json"
        )
    return [found[0] for found in columns]


def load_cross_encoder(name: str) -> CrossEncoder:
    """The inference model called `name`: a model name of the hub or a local folder, on the CPU.

    Only safetensors weights are read, and no code that comes with a model is run. A reply costs its
    sentences times the statements; a model of base size reads about 20 such pairs a second on one thread.

    Raises:
        EncoderError: not found, not an inference model, or not whole; the message says what to do.
    """
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from transformers import AutoModelForSequenceClassification, AutoTokenizer, logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    try:
        tokenizer = AutoTokenizer.from_pretrained(name, trust_remote_code=False)
        model, loading = AutoModelForSequenceClassification.from_pretrained(
            name, trust_remote_code=False, use_safetensors=True, output_loading_info=True
        )
    except Exception as error:
        lines = str(error).strip().splitlines()
        raise EncoderError(
            f"cross-encoder '{name}' cannot be loaded ({lines[0][:160] if lines else type(error).__name__}); "
            "name a sequence-classification model of the hub or a local folder with safetensors weights"
        ) from error
    if not tokenizer.is_fast or tokenizer.pad_token is None:
        raise EncoderError(
            f"cross-encoder '{name}' has no fast tokenizer with a padding token; choose one that has "
            "tokenizer.json"
        )
    if loading["missing_keys"]:
        raise EncoderError(
            f"cross-encoder '{name}' lacks trained weights for {min(loading['missing_keys'])}; it is "
            "no inference model as it stands"
        )
    model.eval()
    return CrossEncoder(model, tokenizer, name)


def _identity(model: Any, tokenizer: Any, columns: Sequence[int], window: int) -> str:
    """Hash over all that changes a probability."""
    import torch

    digest = hashlib.sha256(f"{VERSION} {columns} {window} {type(model).__name__}".encode())
    for key, tensor in sorted(model.state_dict().items()):
        digest.update(key.encode())
        digest.update(tensor.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
    digest.update(tokenizer.backend_tokenizer.to_str().encode())
    return digest.hexdigest()[:16]
