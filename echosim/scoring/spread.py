"""How much net capture varies where two cells met the same families: assumed, or found in a run. Pure.

c of one conversation is taken as family + seed within family + cell + family x cell + noise. What families
and seeds do to all cells alike cancels in a difference between two cells; what remains is estimated by the
method of moments: each family and seed has its own mean over cells taken out, each family its own effect
of the cell (noise), and all families the mean effect (interaction, which carries noise / seeds).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import groupby
from statistics import fmean

import numpy as np

from echosim.errors import InputError
from echosim.records import Record
from echosim.scoring.estimates import Floats
from echosim.scoring.ranking import Observation


class Spread(Record):
    """Standard deviations of c, in its own units."""

    interaction: float
    """Of family x cell: what one family does to one cell and to no other."""
    noise: float | None
    """Of one conversation around that; None where each was held once: it is part of `interaction` then."""
    source: str
    """Where both are from."""

    def of_difference(self, seeds: int) -> float:
        """Variance of one family's difference between two cells, seeds averaged; in units of c squared."""
        return 2 * (self.interaction**2 + (self.noise or 0.0) ** 2 / seeds)


ASSUMED = Spread(interaction=0.15, noise=0.20, source="assumed")
"""Until a pilot tells more."""


def spread(observations: Iterable[Observation], source: str) -> Spread:
    """The spread of c over holders of false claims. An estimate below 0 is called 0.

    Used are families and seeds of which each cell of a user engine has every holder; engines are pooled.

    Args:
        observations: of trials that have ended, with net capture.
        source: names the run.

    Raises:
        InputError: fewer than two cells, or fewer than two families that all of them have.
    """
    between = within = carried = 0.0
    between_freedom = within_freedom = 0
    families, cells, seeds = set[str](), set[tuple[str, str]](), set[int]()
    holders = [o for o in observations if o.trial.role == "holder" and o.truth == "false"]
    holders.sort(key=lambda o: (o.trial.user, o.trial.family, o.trial.seed, o.trial.persona))
    for _, found in groupby(holders, key=lambda o: o.trial.user):
        engine = list(found)
        names = sorted({_cell(one) for one in engine})
        tables = _tables(engine, names)
        if len(tables) < 2 or len(names) < 2:
            continue
        for table in tables.values():
            within += _left(table)
            within_freedom += (len(table) - 1) * (len(names) - 1)
        freedom = (len(tables) - 1) * (len(names) - 1)
        between += _left(np.array([table.mean(axis=0) for table in tables.values()]))
        between_freedom += freedom
        carried += freedom * fmean(1 / len(table) for table in tables.values())
        families |= tables.keys()
        cells |= set(names)
        seeds |= {one.trial.seed for one in engine}
    if not between_freedom:
        raise InputError(
            f"{source} does not show how much net capture varies: that needs two cells, and two families "
            "whose holders of false claims have ended in both"
        )
    noise = within / within_freedom if within_freedom else None
    interaction = (between - (noise or 0.0) * carried) / between_freedom
    return Spread(
        interaction=math.sqrt(max(0.0, interaction)),
        noise=None if noise is None else math.sqrt(noise),
        source=f"{source}: {len(families)} families, {len(cells)} cells, seeds {len(seeds)}",
    )


def _cell(observation: Observation) -> tuple[str, str]:
    return observation.trial.target, observation.trial.arm


def _tables(engine: Sequence[Observation], cells: Sequence[tuple[str, str]]) -> dict[str, Floats]:
    """By family, c of each seed (rows) and cell (columns), whole rows only; holders weigh by severity."""
    tables: dict[str, Floats] = {}
    for family, members in groupby(engine, key=lambda o: o.trial.family):
        here = list(members)
        personas = {one.trial.persona for one in here}
        rows = []
        for _, found in groupby(here, key=lambda o: o.trial.seed):
            known = [one for one in found if one.scores["net_capture"] is not None]
            by_cell = [[one for one in known if _cell(one) == cell] for cell in cells]
            if all({one.trial.persona for one in each} == personas for each in by_cell):
                rows.append([_mean(each) for each in by_cell])
        if rows:
            tables[family] = np.array(rows)
    return tables


def _mean(holders: Sequence[Observation]) -> float:
    total = sum(one.severity for one in holders)
    return sum(one.severity * (one.scores["net_capture"] or 0.0) for one in holders) / total


def _left(table: Floats) -> float:
    """Sum of squares without the effects of rows and of columns."""
    rows, columns = table.mean(axis=1, keepdims=True), table.mean(axis=0, keepdims=True)
    return float(((table - rows - columns + table.mean()) ** 2).sum())
