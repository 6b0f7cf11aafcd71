"""Where the spread of net capture comes from: family, seed, user engine, target. Pure.

One conversation is c = mean + family + seed + engine + target + their interactions, all of them random and
crossed, but for the seed, which repeats a persona and so stands within its family. On a balanced array
each mean square is a known sum of variances; solved for them, they are the estimates (ANOVA method of
moments; Searle, Casella and McCulloch, Variance Components, 1992, chapter 4). They are unbiased and ask
for no distribution. An estimate may fall below 0: the variance is then called 0, and the part is marked.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import product
from math import prod
from typing import NamedTuple

import numpy as np

from echosim.board_records import Part, Source, Variance
from echosim.scoring.estimates import Floats

Block = tuple[str, int]
"""Family and seed."""
ROUNDING = 1e-12
"""What is left of a variance of 0 by rounding alone; c lies in [-1, 1]."""


class _Factor(NamedTuple):
    """One way in which conversations differ, by steps: 0 averaged over it, then its own deviations."""

    steps: tuple[str, ...]
    sizes: tuple[int, ...]
    """Levels at each step."""
    freedom: tuple[int, ...]


def variance(blocks: Mapping[Block, Floats]) -> Variance:
    """The parts of the variance of c.

    Args:
        blocks: by family and seed, c of each engine (rows) and cell (columns), nothing missing; two
            engines or more, one block or more.
    """
    families, seeds = balanced(blocks)
    c = np.array([[blocks[family, seed] for seed in seeds] for family in families])
    left_out = sum(block.size for block in blocks.values()) - c.size
    raw = components(c) if len(families) > 1 else {}
    return Variance(families=len(families), seeds=len(seeds), left_out=left_out, parts=_parts(raw))


def balanced(blocks: Collection[Block]) -> tuple[list[str], list[int]]:
    """Families and seeds of which each family has each seed.

    As long as a block is missing, the seed or the family that lacks the largest share goes.
    """
    families = sorted({family for family, _ in blocks})
    seeds = sorted({seed for _, seed in blocks})

    def lacks(which: Collection[Block]) -> float:
        return sum(block not in blocks for block in which) / len(which)

    while True:
        family_gap, family = max((lacks([(family, seed) for seed in seeds]), family) for family in families)
        seed_gap, seed = max((lacks([(family, seed) for family in families]), seed) for seed in seeds)
        if not seed_gap:
            return families, seeds
        if seed_gap >= family_gap:
            seeds.remove(seed)
        else:
            families.remove(family)


def components(c: Floats) -> dict[tuple[str, ...], float]:
    """Variance of each main effect and interaction as estimated, so possibly below 0.

    Args:
        c: families x seeds x engines x cells; a source of one level has no variance and is not listed.

    Returns:
        By sources, such as ("user engine", "target") for their interaction.
    """
    factors = _factors(c.shape)
    terms = list(product(*(range(len(factor.steps)) for factor in factors)))
    mean_square = {}
    for term in terms:
        effect = _effect(c, factors, term)
        freedom = prod(factor.freedom[step] for factor, step in zip(factors, term, strict=True))
        mean_square[term] = float((effect**2).sum()) * (c.size // effect.size) / freedom
    found = {}
    for term in terms[1:]:
        # A mean square expects the variances of its own term and of all finer ones, each times the
        # conversations behind one of its levels; with alternating signs the finer ones cancel.
        at = list(zip(factors, term, strict=True))
        finer = product(*((step, step + 1)[: len(factor.steps) - step] for factor, step in at))
        total = sum((-1) ** (sum(other) - sum(term)) * mean_square[other] for other in finer)
        name = tuple(factor.steps[step] for factor, step in at if step)
        found[name] = total * prod(factor.sizes[step] for factor, step in at) / c.size
    return found


def _factors(shape: tuple[int, ...]) -> tuple[_Factor, ...]:
    families, seeds, engines, cells = shape

    def factor(*steps: tuple[str, int, int]) -> _Factor:
        kept = [("", 1, 1), *(step for step in steps if step[2])]
        return _Factor(*map(tuple, zip(*kept, strict=True)))

    return (
        factor(("family", families, families - 1), ("seed", families * seeds, families * (seeds - 1))),
        factor(("user engine", engines, engines - 1)),
        factor(("target", cells, cells - 1)),
    )


def _effect(c: Floats, factors: tuple[_Factor, ...], term: tuple[int, ...]) -> Floats:
    """The deviations that belong to one term; axes that it averages over have length 1."""
    blocks, *crossed = (factor.steps[step] for factor, step in zip(factors, term, strict=True))
    by_family = c.mean(axis=1, keepdims=True)
    if blocks == "seed":
        effect = c - by_family
    else:
        mean = by_family.mean(axis=0, keepdims=True)
        effect = by_family - mean if blocks == "family" else mean
    for axis, name in enumerate(crossed, start=2):
        mean = effect.mean(axis=axis, keepdims=True)
        effect = effect - mean if name else mean
    return np.asarray(effect)


_NAMED: dict[Source, tuple[str, ...]] = {
    "family": ("family",),
    "seed": ("seed",),
    "user engine": ("user engine",),
    "target": ("target",),
    "user engine x target": ("user engine", "target"),
}


def _parts(raw: Mapping[tuple[str, ...], float]) -> tuple[Part, ...]:
    found: dict[Source, float | None] = {source: raw.get(name) for source, name in _NAMED.items()}
    rest = [value for name, value in raw.items() if name not in _NAMED.values()]
    found["residual"] = sum(rest) if raw else None
    kept = {source: None if value is None else max(0.0, value) for source, value in found.items()}
    total = sum(filter(None, kept.values()))
    parts = []
    for source, value in kept.items():
        reason = None
        if not raw:
            reason = "one family: its spread cannot be told from the others"
        elif value is None and source == "seed":
            reason = "one seed: its spread is in the residual"
        elif value is None:
            reason = "one cell" if "target" in source and ("target",) not in raw else "one user engine"
        elif total <= ROUNDING:
            reason = "c is the same in every conversation"
        parts.append(
            Part(
                source=source,
                variance=value,
                share=None if value is None or reason else value / total,
                negative=(found[source] or 0.0) < -ROUNDING,
                reason=reason,
            )
        )
    return tuple(parts)
