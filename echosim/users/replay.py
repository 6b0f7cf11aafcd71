"""The user that says what was said in an earlier run, whatever it is answered.

The lines do not depend on the replies, so the answers of two targets to one line are paired. With a
frozen prefix the first replies are the recorded ones, too, and every target gets the same history.
"""

from __future__ import annotations

from echosim.persona_records import Persona
from echosim.protocols import Moment
from echosim.records import BeliefState, Reading, Report, Utterance
from echosim.users.embedded import NUDGE, EmbeddedUser


class ReplayUser:
    """A user whose lines are recorded and whose mind is that of the `embedded` user.

    Args:
        options: those of the embedded user's mind; what is said, and so `nudge`, is the recording's.

    Raises:
        ValueError: an option that the embedded user does not have, or `nudge`.
    """

    needs = "recording"

    def __init__(self, *options: str) -> None:
        if NUDGE in options:
            raise ValueError(f"option '{NUDGE}' changes what is said; record it with embedded(\"{NUDGE}\")")
        self._mind = EmbeddedUser(*options)

    def begin(self, persona: Persona, seed: int) -> BeliefState:
        """The seeded mind of the embedded user, equal for all targets."""
        return self._mind.begin(persona, seed)

    async def speak(self, moment: Moment) -> Utterance:
        """The recorded line of this turn.

        Raises:
            ValueError: there is none.
        """
        if moment.recording is None or len(moment.recording.said) < moment.turn:
            raise ValueError(f"nothing is recorded for turn {moment.turn}")
        return moment.recording.said[moment.turn - 1]

    def update(
        self, persona: Persona, state: BeliefState, utterance: Utterance, reading: Reading
    ) -> BeliefState:
        """The mind after a reply, by the belief engine."""
        return self._mind.update(persona, state, utterance, reading)

    async def report(
        self, moment: Moment, utterance: Utterance, reply: str, state: BeliefState
    ) -> tuple[Report, BeliefState]:
        """What the mind tells; a confidence that the recorded line named is what the talk shows."""
        return await self._mind.report(moment, utterance, reply, state)
