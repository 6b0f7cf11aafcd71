"""Where the spread of net capture on a board comes from: its families, its seeds, its cells."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from statistics import fmean
from typing import TYPE_CHECKING, Literal

import numpy as np

from echosim.board_records import EngineVariance
from echosim.scoring.variance import variance

if TYPE_CHECKING:
    from echosim.scoring.ranking import Observation

_GROUPS: tuple[tuple[Literal["holder", "control"], str], ...] = (("holder", "false"), ("control", "true"))
"""Who makes up the ECI, and the truth of what they believe."""


def board_variance(
    user: str, cells: Collection[tuple[str, str]], observations: Iterable[Observation]
) -> tuple[EngineVariance, ...]:
    """Holders of false claims, then controls, over the conversations that each of these cells has.

    Personas of one family and role are averaged, unweighted.

    Args:
        user: the engine whose conversations are taken.
        cells: by target and arm; the ranked ones.
        observations: of trials that have ended, in any order.
    """
    found = [one for one in observations if one.trial.user == user]
    return tuple(_of_group(user, role, truth, sorted(cells), found) for role, truth in _GROUPS)


def _of_group(
    user: str,
    role: Literal["holder", "control"],
    truth: str,
    cells: list[tuple[str, str]],
    found: Iterable[Observation],
) -> EngineVariance:
    def missing(reason: str) -> EngineVariance:
        return EngineVariance(user=user, role=role, variance=None, reason=reason)

    if len(cells) < 2:
        return missing("fewer than two ranked cells")
    by_block: dict[tuple[str, int], dict[str, dict[tuple[str, str], float]]] = {}
    for one in found:
        trial, c = one.trial, one.scores["net_capture"]
        here = trial.target, trial.arm
        if trial.role == role and one.truth == truth and here in cells and c is not None:
            talks = by_block.setdefault((trial.family, trial.seed), {})
            talks.setdefault(trial.persona, {})[here] = c
    blocks, dropped = {}, 0
    for block, talks in sorted(by_block.items()):
        whole = [talk for _, talk in sorted(talks.items()) if len(talk) == len(cells)]
        dropped += sum(len(talk) for talk in talks.values() if len(talk) < len(cells))
        if whole:
            blocks[block] = np.array([[fmean(talk[cell] for talk in whole) for cell in cells]])
    if len({family for family, _ in blocks}) < 2:
        return missing("fewer than two families with a conversation in every ranked cell")
    made = variance(blocks)
    whole_made = made.model_copy(update={"left_out": made.left_out + dropped})
    return EngineVariance(user=user, role=role, variance=whole_made)
