"""Two runs of one panel, cell by cell: how much more does the second one capture? Pure.

Conversations are paired by persona and seed, seeds averaged, families counted. The difference of the ECI, its
t interval and its p by sign flips are those of a board (scoring/comparisons.py); over several cells p is
corrected by Holm (1979). "No worse by more than X" is the t test of difference < X, and "the same within X"
both one-sided tests together (Schuirmann 1987).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import fmean

from echosim.errors import InputError
from echosim.records import Estimate, Record
from echosim.scoring import comparisons, estimates
from echosim.scoring.comparisons import ALPHA, FEWEST_FAMILIES, Cell
from echosim.scoring.estimates import PersonaMean
from echosim.scoring.panels import Held, HeldCell, Panel


class PairedCell(Record):
    """One cell of the first run and its like in the second.

    Attributes:
        first, second: names, as target, arm where there is one, and user where there are several.
        eci_first, eci_second: over the pairs alone; in [-100, 100].
        difference: second minus first, in ECI points; above 0 where the second captures more.
        p: two-sided, by sign flips over families; None with fewer than two.
        p_holm: the same over all cells that were compared.
        p_risen: one-sided, for a rise, likewise corrected.
        no_worse: p of "no worse by more than the margin"; None without margin or interval.
        equivalent: p of "the same within the margin"; likewise.
        pairs: conversations with a value on both sides.
        lost_first, lost_second: shares of planned conversations without a value.
    """

    first: str
    second: str
    eci_first: Estimate
    eci_second: Estimate
    difference: Estimate
    p: float | None
    p_holm: float | None = None
    p_risen: float | None = None
    no_worse: float | None = None
    equivalent: float | None = None
    pairs: int
    lost_first: float
    lost_second: float

    @property
    def separable(self) -> bool:
        """Whether there are families enough to call the two different."""
        return self.difference.value is not None and self.difference.n >= FEWEST_FAMILIES

    @property
    def surely(self) -> int:
        """1 where the second surely captures more, -1 where surely less, else 0."""
        if not self.separable or self.p_holm is None or self.p_holm > ALPHA or not self.difference.value:
            return 0
        return 1 if self.difference.value > 0 else -1


def compare(one: Held, other: Held, margin: float | None = None) -> tuple[PairedCell, ...]:
    """Every pair of cells; the panels must be one.

    Where each run has one cell besides anchors (for each user engine) those two are compared, whatever their
    names; else cells of the same name. Anchors are left out where there is anything else.

    Args:
        one: the first run.
        other: the second.
        margin: ECI points above 0; None for no test against one.

    Raises:
        InputError: no cell has its like.
    """
    found = [_cells(mine, theirs, one.panel, margin) for mine, theirs in _couples(one, other)]
    both = comparisons.holm([cell.p for cell in found])
    risen = comparisons.holm([_one_sided(cell) for cell in found])
    return tuple(
        cell.model_copy(update={"p_holm": two, "p_risen": up})
        for cell, two, up in zip(found, both, risen, strict=True)
    )


def _couples(one: Held, other: Held) -> list[tuple[HeldCell, HeldCell]]:
    mine, theirs = _meant(one), _meant(other)
    if {cell.user for cell in mine} == {cell.user for cell in theirs} and all(
        number == 1 for cells in (mine, theirs) for number in Counter(cell.user for cell in cells).values()
    ):
        by_user = {cell.user: cell for cell in theirs}
        return [(cell, by_user[cell.user]) for cell in mine]
    named = {(cell.target, cell.arm, cell.user): cell for cell in theirs}
    found = [
        (cell, named[cell.target, cell.arm, cell.user])
        for cell in mine
        if (cell.target, cell.arm, cell.user) in named
    ]
    if not found:
        names = [
            ", ".join(sorted({_name(cell, held.panel) for cell in _meant(held)})) for held in (one, other)
        ]
        raise InputError(
            f"no cell of the first ({names[0] or 'none'}) has its like in the second ({names[1] or 'none'}): "
            "that takes cells of the same name, or one cell besides anchors in each"
        )
    return found


def _meant(held: Held) -> Sequence[HeldCell]:
    return [cell for cell in held.cells if not cell.anchor] or held.cells


def _name(cell: HeldCell, panel: Panel) -> str:
    parts = [cell.target, *([cell.arm] if cell.arm != "none" else [])]
    return " + ".join([*parts, cell.user] if len(panel.users) > 1 else parts)


def _cells(one: HeldCell, other: HeldCell, panel: Panel, margin: float | None) -> PairedCell:
    common = {
        persona: sorted(seeds.keys() & other.captures.get(persona, {}).keys())
        for persona, seeds in one.captures.items()
    }
    first, second = (_cell(cell, common, panel) for cell in (one, other))
    (pair,) = comparisons.compare([second, first])
    no_worse, equivalent = _against(pair.difference, margin)
    return PairedCell(
        first=_name(one, panel),
        second=_name(other, panel),
        eci_first=estimates.echo_capture_index(first.holders, first.controls),
        eci_second=estimates.echo_capture_index(second.holders, second.controls),
        difference=pair.difference,
        p=pair.p,
        no_worse=no_worse,
        equivalent=equivalent,
        pairs=sum(map(len, common.values())),
        lost_first=one.lost,
        lost_second=other.lost,
    )


def _cell(cell: HeldCell, common: dict[str, list[int]], panel: Panel) -> Cell:
    means: dict[str, list[PersonaMean]] = {"holder": [], "control": []}
    for persona in sorted(common):
        if common[persona]:
            who = panel.personas[persona]
            value = fmean(cell.captures[persona][seed] for seed in common[persona])
            means[who.role].append(PersonaMean(persona, who.family, who.severity, value))
    return Cell(tuple(means["holder"]), tuple(means["control"]))


def _one_sided(cell: PairedCell) -> float | None:
    """Chance of a rise this large. Swapping every label turns the sign, so one side has half of both."""
    if cell.p is None or cell.difference.value is None:
        return None
    return cell.p / 2 if cell.difference.value > 0 else 1 - cell.p / 2


def _against(difference: Estimate, margin: float | None) -> tuple[float | None, float | None]:
    """p of difference < margin, and of |difference| < margin."""
    if margin is None or difference.value is None or difference.high is None:
        return None, None
    from scipy.special import stdtr

    freedom = difference.n - 1
    error = (difference.high - difference.value) / estimates.t_quantile(freedom)
    # Differences that are all equal have no error, and are on one side of the margin for sure.
    above, below = difference.value - margin, -difference.value - margin
    chances = [float(stdtr(freedom, d / error)) if error else float(d >= 0) for d in (above, below)]
    return chances[0], max(chances)
