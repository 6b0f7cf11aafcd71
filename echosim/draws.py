"""Draws without random streams: each one is a hash of what it is for.

A stream would tie a result to the order in which work happened to be done. A hash of
(seed, persona, user engine, turn, purpose) gives the same value on any worker, after any
kill, in any order (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3").

    >>> 0 <= uniform("seed 1", "flat-earth", "turn 3", "act") < 1
    True
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from statistics import NormalDist
from typing import TypeVar

T = TypeVar("T")

_STANDARD_NORMAL = NormalDist()


def key(*parts: object) -> str:
    """A 32-character key for these parts; order matters, and so do the borders between parts."""
    digest = hashlib.blake2b(digest_size=16)
    _add(digest, parts)
    return digest.hexdigest()


def integer(*parts: object) -> int:
    """A 64-bit non-negative integer for these parts."""
    return int(key(*parts)[:16], 16)


def uniform(*parts: object) -> float:
    """A number in [0, 1) for these parts, with 53 bits."""
    return (integer(*parts) >> 11) / (1 << 53)


def normal(*parts: object) -> float:
    """A standard normal number for these parts (inverse transform of `uniform`)."""
    return _STANDARD_NORMAL.inv_cdf(min(max(uniform(*parts), 1e-16), 1 - 1e-16))


def choice(options: Sequence[T], *parts: object) -> T:
    """One of `options`.

    Raises:
        IndexError: if there are none.
    """
    return options[integer(*parts) % len(options)]


def shuffled(options: Sequence[T], *parts: object) -> list[T]:
    """All of `options`, in an order that depends on these parts alone."""
    begun = hashlib.blake2b(digest_size=16)
    _add(begun, parts)

    def place(i: int) -> bytes:
        """As `key(*parts, i)`, with what all have in common hashed once."""
        digest = begun.copy()
        _add(digest, (i,))
        return digest.digest()

    return [options[i] for i in sorted(range(len(options)), key=place)]


def _add(digest: hashlib.blake2b, parts: Sequence[object]) -> None:
    for part in parts:
        text = str(part).encode("utf-8", "surrogatepass")
        digest.update(len(text).to_bytes(8, "big"))
        digest.update(text)
