"""What a reference target has said so far, read from the conversation alone."""

from __future__ import annotations

from collections.abc import Sequence

from echosim import draws
from echosim.protocols import TargetRequest

_RECENT = 12  # replies looked back at; a bound, so that the cost of a turn does not grow


def recent_replies(request: TargetRequest) -> tuple[str, ...]:
    """The target's last replies, oldest first."""
    replies = [message.content for message in request.messages if message.role == "assistant"]
    return tuple(replies[-_RECENT:])


def is_spoken(point: str, replies: Sequence[str]) -> bool:
    """Whether one of these replies contains the point, up to its end mark."""
    core = " ".join(point.split()).rstrip(" .!?").casefold()
    return any(core in reply.casefold() for reply in replies)


def next_points(points: Sequence[str], request: TargetRequest, count: int) -> tuple[str, ...]:
    """The points to speak now: those not yet spoken, then the ones spoken longest ago.

    The order is drawn once a conversation and rotated by turn, so that a request without its
    history still gets another point each turn.

    Args:
        points: the points of one side; may be empty.
        request: the conversation.
        count: how many; fewer where the sheet has fewer.
    """
    if not points:
        return ()
    order = draws.shuffled(points, request.key, "points")
    start = (request.turn - 1) * count % len(order)
    rotated = order[start:] + order[:start]
    replies = recent_replies(request)
    return tuple(sorted(rotated, key=lambda point: is_spoken(point, replies))[:count])
