"""A number with its noun, in the singular where there is one."""

from __future__ import annotations


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 chat`, `1,200 chats`, `2 replies`.

    Args:
        number: how many.
        one: the noun for one.
        many: the noun for more; `one` with an s unless given.
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"
