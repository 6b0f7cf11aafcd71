"""Same seed, same bytes: conversations held twice, in another order, by the embedded user and its engine.

Replies come from reference targets, and their readings are what the targets meant, so no encoder is needed.
"""

from __future__ import annotations

from collections.abc import Sequence

from echosim import registry
from echosim.belief.engine import DEFAULT
from echosim.inputs.plan import target_key
from echosim.persona_records import Persona
from echosim.protocols import Intent, Message, Moment, TargetRequest
from echosim.records import Reading, Side, Turn
from echosim.users.embedded import NAME, EmbeddedUser

TARGETS = ("capitulator(2)", "mix(0.5)")
"""Both change sides on the way."""
TURNS = 12
_OFF_CLAIM = 0.2
"""On-topic share of a reply that leaves the claim alone."""


def differing(personas: Sequence[Persona], seed: int) -> int:
    """How many conversations differ by a byte, in words, readings or minds, when all are held again."""
    pairs = [(persona, target) for persona in personas for target in TARGETS]
    first = [conversation(*pair, seed) for pair in pairs]
    again = [conversation(*pair, seed) for pair in reversed(pairs)]
    return sum(one != other for one, other in zip(first, reversed(again), strict=True))


def conversation(persona: Persona, target: str, seed: int) -> bytes:
    """The transcript of one conversation, a turn a line.

    Args:
        persona: who speaks.
        target: plugin name with options.
        seed: repeat number.
    """
    speaker, user = registry.load("target", target), EmbeddedUser()
    key = target_key(seed, persona.id, NAME, target)
    state = user.begin(persona, seed)
    turns: list[Turn] = []
    messages: list[Message] = []
    sides: list[Side] = []
    for index in range(1, TURNS + 1):
        said = user.say(Moment(persona, seed, index, TURNS, state, tuple(turns)))
        messages.append(Message("user", said.text))
        sides.append(said.side)
        request = TargetRequest(persona.fact_sheet(), tuple(sides), tuple(messages), key)
        reply, felt = speaker.reply(request), _as_meant(speaker.intend(request), persona)
        messages.append(Message("assistant", reply))
        after = user.update(persona, state, said, felt)
        turns.append(
            Turn(index=index, user=said.text, act=said.act, side=said.side, reply=reply, reading=felt,
                 before=state, after=after)
        )  # fmt: skip
        state = after
    return "\n".join(turn.model_dump_json() for turn in turns).encode()


def _as_meant(intent: Intent, persona: Persona) -> Reading:
    points = (*persona.supporting, *persona.refuting)
    spoken = tuple(point.id for point in points if point.text in intent.points)
    return Reading(
        stance=intent.stance,
        evidence=min(1.0, len(spoken) / DEFAULT.points_for_full_load),
        warmth=intent.warmth,
        on_topic=1.0 if intent.on_claim else _OFF_CLAIM,
        matched=spoken,
    )
