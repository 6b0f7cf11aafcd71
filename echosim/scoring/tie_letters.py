"""Letters for cells: two share one exactly where they cannot be told apart (compact letter display). Pure.

Insert and absorb (Piepho 2004, doi:10.1198/1061860043515): at first one letter stands at every cell. Each
pair that is told apart splits every letter that stands at both, into one without the first and one without
the second; a letter whose cells all have another one in common is absorbed by it.
"""

from __future__ import annotations

from collections.abc import Iterable


def tie_letters(count: int, apart: Iterable[tuple[int, int]]) -> tuple[tuple[str, ...], ...]:
    """The letters of each cell, in order of the alphabet; the first cell has an A.

    Args:
        count: cells, numbered from 0 in the order in which they are to be read.
        apart: pairs that are told apart, two different numbers each, in any order.

    Returns:
        One tuple a cell, none empty. After Z come AA, AB, ...
    """
    columns = [frozenset(range(count))] if count else []
    for first, second in apart:
        split = [
            part
            for column in columns
            for part in ((column - {first}, column - {second}) if {first, second} <= column else (column,))
        ]
        columns = [one for one in dict.fromkeys(split) if not any(one < other for other in split)]
    columns.sort(key=sorted)
    return tuple(
        tuple(letter(place) for place, column in enumerate(columns) if cell in column)
        for cell in range(count)
    )


def letter(place: int) -> str:
    """A, B, ..., Z, AA, AB, ... for 0, 1, ..."""
    head, tail = divmod(place, 26)
    return (letter(head - 1) if head else "") + chr(ord("A") + tail)
