"""Calls that were under way when a session was cut off: made again since, and perhaps billed twice."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from echosim.study_records import Price


@dataclass(frozen=True, slots=True)
class Doubt:
    """Calls whose outcome nobody knows.

    Attributes:
        calls: how many.
        priced: of these, calls to models whose price the study gives.
        cost: US dollars that the priced ones can have cost at most.
    """

    calls: int
    priced: int
    cost: float

    def __str__(self) -> str:
        noun = "call" if self.calls == 1 else "calls"
        if not self.priced:
            most = "their price is not known" if self.calls > 1 else "its price is not known"
        else:
            most = f"at most ${_money(self.cost)}"
            if self.priced < self.calls:
                most += f" for the {self.priced:,} whose price is known"
        return f"{self.calls:,} {noun} may have been billed twice, {most}"


def in_doubt(database: sqlite3.Connection, prices: Mapping[str, Price | None]) -> Doubt:
    """The calls of a run without an outcome, each at what was reserved for it.

    Args:
        database: of the run.
        prices: of the study's models, by label.
    """
    calls = priced = 0
    cost = 0.0
    rows = database.execute(
        "SELECT target, count(*), sum(reserved_prompt), sum(reserved_completion) FROM calls "
        "WHERE outcome IS NULL GROUP BY target ORDER BY target"
    )
    for target, found, prompt, completion in rows:
        calls += found
        price = prices.get(target)
        if price is not None:
            priced += found
            cost += price.of(prompt, completion)
    return Doubt(calls, priced, cost)


def _money(dollars: float) -> str:
    """Cents, or the first digit that says something; rounded up, since it is a bound."""
    digits = next((digits for digits in range(2, 6) if dollars * 10**digits >= 1 or not dollars), 6)
    return f"{math.ceil(dollars * 10**digits - 1e-9) / 10**digits:,.{digits}f}"
