"""Texts as rows of token ids that fit an encoder: whole where they fit, else in overlapping windows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from echosim.errors import EncoderError

OVERLAP = 32
"""Tokens that one window shares with the next, at most half a window."""
STRETCH = 20_000
"""Characters that are tokenised at once; a text of any length costs no more memory than this."""
ROWS = 2_048
"""Rows that are read together: enough to fill every pass, few enough to hold in memory."""
LONGEST_PROMPT = 0.5
"""Share of the window that a prompt may take."""


class Windows:
    """Cuts texts for one encoder.

    Args:
        tokenizer: the encoder's own, a fast one.
        window: tokens that the encoder reads at once, prompt and special tokens included.
        prompt: what the encoder wants before every text, "" for nothing.
        name: of the encoder, for messages.

    Raises:
        EncoderError: the tokenizer has no token for an empty text, or the prompt fills the window.
    """

    def __init__(self, tokenizer: Any, window: int, prompt: str, name: str) -> None:
        self._tokenizer = tokenizer
        self._window = window
        self._prompt = prompt
        frame = self._ids([""])[0]
        self._room = window - len(frame)
        if self._room < window * LONGEST_PROMPT:
            raise EncoderError(
                f"encoder '{name}' reads {window} tokens at once, and its prompt takes {len(frame)} of them"
            )
        # A tokenizer without special tokens makes nothing of an empty text, and nothing has no direction.
        stand_ins = (getattr(tokenizer, f"{kind}_token_id", None) for kind in ("eos", "unk", "pad"))
        self._empty = frame or [token for token in stand_ins if token is not None][:1]
        if not self._empty:
            raise EncoderError(f"encoder '{name}' has no token for a text without words")

    def rows(self, texts: Sequence[str]) -> Iterator[tuple[int, list[int]]]:
        """(number of the text, token ids) for each whole text or window, in order of the texts."""
        short: list[int] = []
        for number, text in enumerate(texts):
            if len(text) <= STRETCH:
                short.append(number)
            if len(text) > STRETCH or len(short) == ROWS:
                yield from self._whole(texts, short)
                short = []
            if len(text) > STRETCH:
                for stretch in stretches(text):
                    yield from ((number, ids) for ids in self._cut(stretch))
        yield from self._whole(texts, short)

    def _whole(self, texts: Sequence[str], numbers: Sequence[int]) -> Iterator[tuple[int, list[int]]]:
        if not numbers:
            return
        for number, ids in zip(numbers, self._ids([texts[number] for number in numbers]), strict=True):
            if len(ids) <= self._window:
                yield number, ids or self._empty
            else:
                yield from ((number, cut) for cut in self._cut(texts[number]))

    def _cut(self, text: str) -> Iterator[list[int]]:
        offsets = self._tokenizer(
            text, add_special_tokens=False, return_offsets_mapping=True, truncation=False, verbose=False
        )["offset_mapping"]
        overlap = min(OVERLAP, self._room // 2)
        starts = range(0, max(1, len(offsets) - overlap), self._room - overlap)
        cuts = [offsets[start : start + self._room] for start in starts]
        pieces = [text[cut[0][0] : cut[-1][1]] if cut else "" for cut in cuts]
        # The same words may come out a token longer at an edge; what is cut off there is in the next window.
        yield from (ids[: self._window] or self._empty for ids in self._ids(pieces, truncate=True))

    def _ids(self, texts: Sequence[str], truncate: bool = False) -> list[list[int]]:
        found: list[list[int]] = self._tokenizer(
            [self._prompt + text for text in texts],
            add_special_tokens=True,
            truncation=truncate,
            max_length=self._window if truncate else None,
            return_attention_mask=False,
            return_token_type_ids=False,
            verbose=False,
        )["input_ids"]
        return found


def stretches(text: str) -> Iterator[str]:
    """The text in parts of at most `STRETCH` characters, broken at a space where there is one."""
    start = 0
    while start < len(text) or not start:
        end = start + STRETCH
        if end < len(text):
            spaces = [match.end() for match in re.finditer(r"\s", text[start:end])]
            end = start + spaces[-1] if spaces else end
        yield text[start:end]
        start = end
