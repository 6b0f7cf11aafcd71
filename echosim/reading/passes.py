"""Which rows of tokens go through an encoder together: end to end, a fixed number of tokens at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import accumulate


def passes(lengths: Sequence[int], sizes: Sequence[int]) -> Iterator[tuple[int, list[int]]]:
    """(tokens in the pass, numbers of its rows), rows of one length side by side.

    A pass takes the largest size that the waiting rows fill, and at the end the smallest that holds them.
    Long rows come first, and the gap that they leave is filled with short ones.

    Args:
        lengths: tokens of each row, each at least 1 and at most the largest size.
        sizes: tokens that a pass may have, ascending.
    """
    waiting = deque(sorted(range(len(lengths)), key=lambda row: (-lengths[row], row)))
    left = sum(lengths)
    while waiting:
        fitting = [size for size in sizes if size >= lengths[waiting[0]]]
        filled = [size for size in fitting if size <= left]
        size = filled[-1] if filled else fitting[0]
        chosen, room = [], size
        while waiting and lengths[waiting[0]] <= room:
            room -= lengths[waiting[0]]
            chosen.append(waiting.popleft())
        while waiting and lengths[waiting[-1]] <= room:
            room -= lengths[waiting[-1]]
            chosen.append(waiting.pop())
        left -= size - room
        yield size, sorted(chosen, key=lambda row: (-lengths[row], row))


def runs(lengths: Sequence[int]) -> list[tuple[int, int, int]]:
    """(first token, rows, tokens a row) of each run of rows with one length.

    >>> runs([5, 5, 3])
    [(0, 2, 5), (10, 1, 3)]
    """
    found: list[tuple[int, int, int]] = []
    for length, end in zip(lengths, accumulate(lengths), strict=True):
        if found and found[-1][2] == length:
            found[-1] = (found[-1][0], found[-1][1] + 1, length)
        else:
            found.append((end - length, 1, length))
    return found
