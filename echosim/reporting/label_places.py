"""Where names go in a figure so that none covers another: geometry alone, no drawing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Box = tuple[float, float, float, float]
"""Left, bottom, right, top."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Place of a name relative to its point, and which end of the name stands there."""

    x: float
    y: float
    side: Literal["left", "center", "right"]
    box: Box
    """What the name covers."""


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Places near the wanted ones, at least `gap` apart, inside [low, high], order kept.

    Groups that are too close are merged and centred on their mean wish (pool adjacent violators). When
    the range is too short for all, the gap shrinks.
    """
    if not wanted:
        return []
    gap = min(gap, (high - low) / max(1, len(wanted) - 1))
    order = sorted(range(len(wanted)), key=lambda i: (wanted[i], i))
    groups: list[list[float]] = []  # [start, size]: members stand at start, start + gap, ...
    for index in order:
        groups.append([min(max(wanted[index], low), high), 1.0])
        while len(groups) > 1 and groups[-2][0] + gap * groups[-2][1] > groups[-1][0]:
            start, size = groups.pop()
            before = groups[-1]
            total = before[1] + size
            centre = before[1] * before[0] + size * (start - gap * before[1])
            before[0], before[1] = centre / total, total
            before[0] = min(max(before[0], low), high - gap * (total - 1))
    placed = [start + gap * step for start, size in groups for step in range(int(size))]
    result = [0.0] * len(wanted)
    for index, place in zip(order, placed, strict=True):
        result[index] = place
    return result


def beside(
    points: Sequence[tuple[float, float]],
    sizes: Sequence[tuple[float, float]],
    obstacles: Sequence[Box],
    bounds: Sequence[float],
    scale: float = 1.0,
) -> list[Spot]:
    """For each point the nearest free spot around it: on no obstacle, on no earlier name, inside.

    Nor does the line from a point to its name cross an earlier name, or a name such a line. When nothing is
    free the spot that touches least is taken, so there is always one.

    Args:
        points: where the marks stand.
        sizes: width and height of each name.
        obstacles: what names must not cover.
        bounds: left, bottom, right, top of where names must stay.
        scale: unit of the distances tried, pixels per point.
    """
    taken = list(obstacles)
    names: list[Box] = []
    spots = []
    for point, size in zip(points, sizes, strict=True):
        around = [_spot(point, size, radius * scale, step) for radius in _RADII for step in range(16)]
        costs = [_cost(spot, taken, bounds, scale) + 1000 * _crossed(point, spot, names) for spot in around]
        spot = around[costs.index(min(costs))]
        names.append(spot.box)
        taken.extend((spot.box, *_leader(point, spot)))
        spots.append(spot)
    return spots


_RADII = (12, 20, 30, 42, 56, 72)


def _spot(point: tuple[float, float], size: tuple[float, float], radius: float, step: int) -> Spot:
    x, y = radius * math.cos(math.pi * step / 8), radius * math.sin(math.pi * step / 8)
    width, height = size
    side: Literal["left", "center", "right"]
    if step % 8 == 4:
        side, start = "center", x - width / 2
    elif x > 0:
        side, start = "left", x
    else:
        side, start = "right", x - width
    left, bottom = point[0] + start, point[1] + y - height / 2
    return Spot(x, y, side, (left, bottom, left + width, bottom + height))


def _leader(point: tuple[float, float], spot: Spot) -> list[Box]:
    """Dots along the line from a point to its name, without both ends."""
    dots = [(point[0] + spot.x * step / 8, point[1] + spot.y * step / 8) for step in range(2, 8)]
    return [(x - 1, y - 1, x + 1, y + 1) for x, y in dots]


def _crossed(point: tuple[float, float], spot: Spot, names: Sequence[Box]) -> int:
    """Dots of the line to a name that lie on other names."""
    return sum(_overlap(dot, name) for dot in _leader(point, spot) for name in names)


def _cost(spot: Spot, taken: Sequence[Box], bounds: Sequence[float], scale: float) -> float:
    box = spot.box
    outside = box[0] < bounds[0] or box[1] < bounds[1] or box[2] > bounds[2] or box[3] > bounds[3]
    covered = sum(_overlap(box, other) for other in taken)
    return math.hypot(spot.x, spot.y) / scale + 1000 * covered + 500 * outside


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
