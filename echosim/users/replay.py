"""The user that says what was said in an earlier run, whatever it is answered.

The lines do not depend on the replies, so the answers of two targets to one line are paired. With a
frozen prefix the first replies are the recorded ones, too, and every target gets the same history.
"""

from __future__ import annotations

from echosim.protocols import Moment
from echosim.records import Utterance
from echosim.users.embedded import NUDGE, EmbeddedMind


class ReplayUser(EmbeddedMind):
    """A user whose lines are recorded and whose mind is that of the `embedded` user.

    Args:
        options: those of the embedded user's mind; what is said, and so `nudge`, is the recording's.

    Raises:
        ValueError: an option that the embedded user does not have, or `nudge`.
    """

    meaning = (
        "says the lines of an earlier run again to every target. In a study: "
        "{engine: replay, of: RUN, prefix: 3}"
    )
    needs = "recording"

    def __init__(self, *options: str) -> None:
        if NUDGE in options:
            raise ValueError(f"option '{NUDGE}' changes what is said; record it with embedded(\"{NUDGE}\")")
        super().__init__(*options)

    async def speak(self, moment: Moment) -> Utterance:
        """The recorded line of this turn.

        Raises:
            ValueError: there is none.
        """
        if moment.recording is None or len(moment.recording.said) < moment.turn:
            raise ValueError(f"nothing is recorded for turn {moment.turn}")
        return moment.recording.said[moment.turn - 1]
