"""Users whose model often gave no usable line: their rows are those of phrases, and the board says so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from echosim.records import Transcript
from echosim.study_records import UserSpec
from echosim.users.worded_lines import FALLBACK

TOLD_ABOVE = 0.05
"""Share of a user's lines that may be phrases without a note."""
MOST = 0.5
"""Share from which the rows are no longer about the model."""


class Unworded:
    """Lines of users with a model, counted one transcript at a time; turns given as history are left out.

    Args:
        users: of all studies on the board; those without a model are not counted.
    """

    def __init__(self, users: Iterable[UserSpec]) -> None:
        self._modelled = {user.label for user in users if user.model is not None}
        self._lines: Counter[str] = Counter()
        self._phrases: Counter[str] = Counter()

    def add(self, transcript: Transcript) -> None:
        """Count the lines of one conversation."""
        user = transcript.trial.user
        if user not in self._modelled:
            return
        live = transcript.live
        self._lines[user] += len(live)
        self._phrases[user] += sum(FALLBACK in turn.user_flags for turn in live)

    def notes(self) -> list[str]:
        """One for each user, by label, more than `TOLD_ABOVE` of whose lines were replaced by phrases."""
        shares = {user: self._phrases[user] / lines for user, lines in self._lines.items() if lines}
        return [
            f"user '{user}': {share:.0%} of its lines were replaced by phrases: its rows say "
            f"{'nothing' if share >= MOST else 'less'} about that model as a user"
            for user, share in sorted(shares.items())
            if share > TOLD_ABOVE
        ]
