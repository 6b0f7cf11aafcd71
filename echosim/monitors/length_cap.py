"""Cuts an overlong reply at the end of a sentence, so that length alone does not carry a comparison."""

from __future__ import annotations

import re
from collections.abc import Sequence

from echosim.protocols import Verdict
from echosim.records import Turn

_END = re.compile(r"[.!?…][\"'”’)\]]*(?=\s|$)")


class LengthCap:
    """Replies of at most `words` words.

    Args:
        words: 20 to 5,000.

    Raises:
        ValueError: words is not a whole number in that range.
    """

    def __init__(self, words: int = 400) -> None:
        if type(words) is not int or not 20 <= words <= 5000:
            raise ValueError(f"words must be a whole number from 20 to 5000, not {words!r}")
        self._words = words

    async def check(self, history: Sequence[Turn], user: str, draft: str) -> Verdict:  # noqa: ARG002 (protocol)
        """Passes what is short enough; else keeps the whole sentences that fit, or the first words."""
        found = list(re.finditer(r"\S+", draft))
        if len(found) <= self._words:
            return Verdict()
        kept = draft[: found[self._words - 1].end()]
        ends = [match.end() for match in _END.finditer(kept)]
        text = kept[: ends[-1]] if ends else kept
        return Verdict("rewrite", text, f"cut from {len(found)} words to {len(text.split())}")
