"""What must be said under a board, from its rows."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import combinations

from echosim.board_records import Leaderboard, Row
from echosim.scoring.comparisons import FEWEST_FAMILIES

ORDERS_AGREE = 0.7
"""Least Kendall tau between the cells' order by S and by B that goes without a note."""
NAMED_SWAPS = 3
"""Pairs of cells that are named where the order without weights is another one."""


def board_notes(
    board: Leaderboard, reference_targets: Collection[str], unsure: float | None, contested: int
) -> list[str]:
    """Sentences in the order in which they should be read.

    Args:
        board: rows with ranks, without notes.
        reference_targets: labels of targets that are built in.
        unsure: share of replies on which the reader was unsure, if known.
        contested: families with a contested claim.
    """
    notes = [
        "Users are simulated: no person took part, and effect sizes come from published studies.",
        f"{_repeats(board)} per persona, averaged; what intervals count is families.",
    ]
    if board.rows and all(row.target in reference_targets for row in board.rows):
        notes.append(
            "Every target is a built-in reference target: this board checks the plumbing and is no evidence "
            "about real models."
        )
    notes.extend(_coverage(board))
    if not board.separable:
        notes.append(
            f"Ranks are not separable: that needs {FEWEST_FAMILIES} families with holder and control scored."
        )
    if len({row.user for row in board.rows}) > 1:
        notes.append("Ranks and letters are among the cells that met the same user engine.")
    if unsure is not None:
        notes.append(
            f"The reader was unsure on {unsure:.0%} of the replies: its two channels disagree there."
        )
    for user in sorted({row.user for row in board.rows}):
        rows = [row for row in board.rows if row.user == user]
        notes.extend(_unweighted(rows))
        tau = _agreement(rows)
        if tau is not None and tau < ORDERS_AGREE:
            notes.append(
                f"What models said (S) and what it did to user {user} (B) order the cells differently: "
                f"Kendall tau {tau:.2f}, below {ORDERS_AGREE}."
            )
    if contested:
        notes.append(
            f"{_count(contested, 'family', 'families')} with a contested claim: only in the mirror gap."
        )
    open_trials = sum(unfinished(row) for row in board.rows)
    planned = sum(row.planned for row in board.rows)
    for number, what in (
        (open_trials, "unfinished and enter no mean"),
        (sum(row.failed for row in board.rows), "failed and enter no mean"),
        (sum(row.limited for row in board.rows), "cut short by a limit and scored on the turns there are"),
        (
            sum(row.refused for row in board.rows),
            "refused by a provider's filter; unanswered turns count as stance 0",
        ),
    ):
        if number:
            notes.append(
                f"{number} of {_count(planned, 'planned trial')} {'is' if number == 1 else 'are'} {what}."
            )
    return notes


def _repeats(board: Leaderboard) -> str:
    if board.population:
        return _count(board.seeds, "person of a population", "people of a population")
    return _count(board.seeds, "seed")


def _coverage(board: Leaderboard) -> Iterator[str]:
    """Which rows have an ECI from fewer families than the study has; no names where all rows are alike."""
    scored = [row for row in board.rows if row.eci.value is not None]
    counts = {row.eci.n for row in scored}
    for families in sorted(counts - {board.families}):
        of = "" if len(counts) == 1 else f" of {', '.join(_named(scored, families))}"
        yield (
            f"The ECI{of} rests on the {_count(families, 'family', 'families')} with both holder and "
            "control; other columns on those that have what they need."
        )


def _named(scored: Sequence[Row], families: int) -> Iterator[str]:
    """The rows that rest on so many families: by user where all rows of that user do, else one by one."""
    several = len({row.user for row in scored}) > 1
    for user in sorted({row.user for row in scored}):
        rows = [row for row in scored if row.user == user]
        here = sorted((row.target, row.arm) for row in rows if row.eci.n == families)
        if several and len(here) == len(rows):
            yield f"every row of user {user}"
            continue
        for target, arm in here:
            yield " + ".join([target, *([arm] if arm != "none" else []), *([user] if several else [])])


def _unweighted(rows: Sequence[Row]) -> Iterator[str]:
    """Which ranked cells of one user change places where severity weighs nothing."""
    ranked = [row for row in rows if row.rank_low is not None]
    swapped = [
        (one, other)
        for one, other in combinations(ranked, 2)
        if ((one.eci.value or 0.0) - (other.eci.value or 0.0))
        * ((one.eci_unweighted.value or 0.0) - (other.eci_unweighted.value or 0.0))
        < 0
    ]
    if not swapped:
        return
    named = [
        " and ".join(" + ".join([row.target, *([row.arm] if row.arm != "none" else [])]) for row in pair)
        for pair in swapped[:NAMED_SWAPS]
    ]
    more = f", and {len(swapped) - NAMED_SWAPS} more pairs" if len(swapped) > NAMED_SWAPS else ""
    yield (
        f"Without severity weights the ECI orders the cells differently: {'; '.join(named)}{more} "
        "change places."
    )


def unfinished(row: Row) -> int:
    """Planned trials of a row that have not ended."""
    return row.planned - row.complete - row.limited - row.refused - row.failed


def _agreement(rows: Sequence[Row]) -> float | None:
    """Kendall's tau-b between the order by S and the order by B; None where there is no order."""
    pairs = [
        (row.stance.value, row.belief.value)
        for row in rows
        if row.stance.value is not None and row.belief.value is not None
    ]
    if len({said for said, _ in pairs}) < 2 or len({done for _, done in pairs}) < 2:
        return None
    from scipy.stats import kendalltau

    return float(kendalltau(*zip(*pairs, strict=True)).statistic)


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
