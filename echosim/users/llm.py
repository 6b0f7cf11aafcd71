"""The user whose words come from a model and whose mind is the belief engine.

Vanilla models that play users give in too early and too politely (Zhou et al. 2026, arXiv:2603.11245), so the
model decides nothing: the engine holds belief and trust, `acts` chooses what is done, and the model words it.
Act and side are those of the engine, never read from the text. A line that does not fit is asked for again;
after that a phrase of the embedded user says it. `Utterance.flags` tells of each (worded_lines.py).
"""

from __future__ import annotations

from echosim.protocols import Moment
from echosim.records import Utterance
from echosim.users import acts, llm_prompt, worded_lines, wording
from echosim.users.embedded import NUDGE, EmbeddedMind
from echosim.users.line_checks import Setting, problem

NAME = "llm"


class LlmUser(EmbeddedMind):
    """A user of the embedded user's mind with a model's voice; what it believes the model is never asked.

    Args:
        options: those of the embedded user, as in `llm("disbeliever")`, apart from `nudge`: a model cannot be
            relied on to name a number.

    Raises:
        ValueError: `nudge`, and as the embedded user does.
    """

    meaning = (
        "belief and act are those of `embedded`, a model words them; options as there, without nudge. "
        "In a study: {engine: llm, model: openai/NAME}"
    )
    needs = "model"

    def __init__(self, *options: str) -> None:
        if NUDGE in options:
            raise ValueError(f"option '{NUDGE}' is for the user 'embedded' alone")
        super().__init__(*options)

    def calls(self, turns: int) -> int:
        """Paid calls of one trial when every line can be said: one a turn."""
        return turns

    async def speak(self, moment: Moment) -> Utterance:
        """The next message: the engine's act in the model's words.

        Raises:
            ValueError: there is no model.
        """
        if moment.voice is None:
            raise ValueError("a user of the engine 'llm' needs a model")
        move = acts.choose(moment, NAME)
        messages = llm_prompt.acting(moment, move, NAME)
        history = moment.history
        setting = Setting(
            persona=moment.persona,
            said=[turn.user for turn in history],
            heard=history[-1].reply if history else "",
            card=messages[0].content,
            may_give_in=move.side == -1 or (move.side == 0 and acts.has_given_up(history)),
            contradicted=acts.is_contradicted(history),
        )
        line = await worded_lines.ask(moment.voice, messages, lambda text: problem(text, setting))
        text = wording.word(moment, move, NAME) if line.text is None else line.text
        return Utterance(text=text, act=move.act, side=move.side, flags=line.flags)
