"""The folders of the package as layers, drawn from the imports that the code really has.

    python analyses/structure.py

Reads every module's import statements, checks nothing (import-linter does), writes figures/structure.png.
"""

from __future__ import annotations

import ast
import tomllib
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
PICTURE = Path(__file__).parent / "figures" / "structure.png"
INK, PALE, LINE = "#1b2733", "#e8eef4", "#7f93a8"
ONE_BOX = {
    "api": ("api", "boards", "held_run"),
    "records, protocols, plugins": (
        "registry",
        "protocols",
        "study_records",
        "persona_records",
        "board_records",
        "records",
        "draws",
        "errors",
    ),
}
"""Single files that are one idea together."""
_BOX = {part: box for box, parts in ONE_BOX.items() for part in parts}


def layers() -> list[list[str]]:
    """Rows of the layer contract, top first; only parts that exist."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    rows: list[list[str]] = []
    for row in project["tool"]["importlinter"]["contracts"][0]["layers"]:
        names = [name.strip().removeprefix("echosim.") for name in row.replace("|", ":").split(":")]
        boxes = [_BOX.get(name, name) for name in names if _exists(name)]
        fresh = [box for box in dict.fromkeys(boxes) if all(box not in earlier for earlier in rows)]
        if fresh:
            rows.append(fresh)
    return rows


def _exists(part: str) -> bool:
    folder = ROOT / "echosim" / part
    return folder.with_suffix(".py").exists() or any(path.stat().st_size for path in folder.rglob("*.py"))


def imports() -> Counter[tuple[str, str]]:
    """(importing part, imported part) -> number of names imported."""
    found: Counter[tuple[str, str]] = Counter()
    for path in sorted((ROOT / "echosim").rglob("*.py")):
        part = path.relative_to(ROOT / "echosim").parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = []
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("echosim"):
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names if alias.name.startswith("echosim.")]
            for name in names:
                other = ([*name.split("."), ""])[1]
                ends = (_BOX.get(part, part), _BOX.get(other, other))
                if ends[0] != ends[1]:
                    found[ends] += 1
    return found


def direct(arrows: Counter[tuple[str, str]]) -> Counter[tuple[str, str]]:
    """Arrows that no path of other arrows already implies."""

    def reaches(start: str, goal: str, without: tuple[str, str]) -> bool:
        seen, waiting = {start}, [start]
        while waiting:
            here = waiting.pop()
            for source, end in arrows:
                if source == here and (source, end) != without and end not in seen:
                    if end == goal:
                        return True
                    seen.add(end)
                    waiting.append(end)
        return False

    return Counter({arrow: count for arrow, count in arrows.items() if not reaches(*arrow, without=arrow)})


def draw(rows: list[list[str]], arrows: Counter[tuple[str, str]], path: Path) -> None:
    """Boxes in rows, arrows from who imports to what is imported."""
    from matplotlib.figure import Figure
    from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

    figure = Figure(figsize=(9, 0.8 * len(rows)), dpi=130)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, 10)
    axes.set_ylim(-len(rows) + 0.4, 0.6)
    axes.axis("off")
    places: dict[str, tuple[float, float]] = {}
    for depth, row in enumerate(rows):
        for index, part in enumerate(row):
            places[part] = (10 * (index + 1) / (len(row) + 1), -depth)
    for (source, goal), count in sorted(arrows.items()):
        if source in places and goal in places and places[source][1] > places[goal][1]:
            (x1, y1), (x2, y2) = places[source], places[goal]
            axes.add_patch(
                FancyArrowPatch(
                    (x1, y1 - 0.24),
                    (x2, y2 + 0.24),
                    arrowstyle="-|>",
                    mutation_scale=8,
                    color=LINE,
                    alpha=0.55,
                    linewidth=min(2.4, 0.6 + 0.1 * count),
                    connectionstyle="arc3,rad=0.06",
                    zorder=1,
                )
            )
    for part, (x, y) in places.items():
        half = max(0.62, 0.075 * len(part))
        axes.add_patch(
            FancyBboxPatch(
                (x - half, y - 0.2),
                2 * half,
                0.4,
                boxstyle="round,pad=0.04",
                fc=PALE,
                ec=INK,
                lw=0.8,
                zorder=2,
            )
        )
        axes.text(x, y, part, ha="center", va="center", fontsize=9, color=INK, zorder=3)
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, metadata={"Software": None})


def main() -> None:
    """Draw today's picture."""
    draw(layers(), direct(imports()), PICTURE)


if __name__ == "__main__":
    main()
