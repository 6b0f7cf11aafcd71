from __future__ import annotations

import itertools
import sys
import xml.etree.ElementTree as ElementTree

import pytest

from echosim.board_records import Region
from echosim.records import Estimate
from echosim.reporting import figures
from echosim.scoring.joint_region import outline
from tests.reporting import synthetic

MANY = {f"model-{n:02d}": -0.9 + 1.8 * n / 19 for n in range(20)}


def made(leanings=None):
    board = synthetic.board(leanings)
    order = [(row.target, row.arm, row.user) for row in board.rows]
    return {
        "forest": lambda: figures.forest(board),
        "drift": lambda: figures.drift(synthetic.curves(leanings), order),
        "frontier": lambda: figures.frontier(board),
        "heat_map": lambda: figures.heat_map(
            synthetic.family_means(leanings), order, [row.target for row in board.rows]
        ),
        "survival": lambda: figures.survival(synthetic.survival(leanings), order),
    }


@pytest.mark.parametrize("name", ["forest", "drift", "frontier", "heat_map", "survival"])
def test_same_records_same_bytes(name):
    make = made()[name]
    first, second = make(), make()
    svg, png = figures.svg(first), figures.png(first, dpi=60)
    assert (svg, png) == (figures.svg(second), figures.png(second, dpi=60))
    assert svg == figures.svg(first)
    assert png.startswith(b"\x89PNG")
    assert b"dc:date" not in svg
    assert b"matplotlib.org" not in svg
    assert b"Software" not in png


def words(figure):
    return [
        text.get_text() for axes in figure.axes for text in axes.findobj(lambda a: hasattr(a, "get_text"))
    ]


@pytest.mark.parametrize("name", ["forest", "drift", "frontier", "heat_map", "survival"])
@pytest.mark.parametrize("leanings", [MANY, {"one": 0.2}])
def test_every_cell_is_named(name, leanings):
    shown = words(made(leanings)[name]())
    for label in leanings or synthetic.LEANINGS:
        assert any(text.startswith(label) for text in shown), label


@pytest.mark.parametrize("name", ["drift", "frontier"])
def test_direct_labels_do_not_overlap(name):
    import matplotlib.text

    figure = made()[name]()
    labels = [
        text
        for axes in figure.axes
        for text in axes.texts
        if isinstance(text, matplotlib.text.Annotation) and text.get_text() in synthetic.LEANINGS
    ]
    assert len(labels) == (18 if name == "drift" else 9)
    figure.draw_without_rendering()
    renderer = figure.canvas.get_renderer()
    boxes = [matplotlib.text.Text.get_window_extent(label, renderer) for label in labels]
    for one, other in itertools.combinations(boxes, 2):
        assert not one.overlaps(other)


def test_curves_are_drawn_where_the_records_say():
    curves = synthetic.curves({"corrector": -0.8})
    left, right = figures.drift(curves).axes
    stance = next(line for line in left.lines if len(line.get_xdata()) == 8)
    confidence = next(line for line in right.lines if len(line.get_xdata()) == 9)
    by_quantity = {curve.quantity: curve for curve in curves}
    assert list(stance.get_ydata()) == [p.estimate.value for p in by_quantity["stance"].points]
    assert list(confidence.get_ydata()) == pytest.approx(
        [100 * p.estimate.value for p in by_quantity["confidence"].points]
    )


def test_only_the_asked_role_is_drawn():
    holders = synthetic.curves({"corrector": -0.8})
    controls = tuple(c.model_copy(update={"role": "control", "target": "other"}) for c in holders)
    assert "other" not in words(figures.drift((*holders, *controls)))


def test_missing_values_are_gaps_and_reasons_not_zeros():
    board = synthetic.board()
    missing = Estimate(value=None, reason="no complete trial")
    row = board.rows[0].model_copy(update={"eci": missing, "c_false": missing, "c_true": missing})
    board = board.model_copy(update={"rows": (row, *board.rows[1:])})
    assert "no ECI: no complete trial" in words(figures.forest(board))
    assert row.target not in words(figures.frontier(board))

    curve = synthetic.curves({"corrector": -0.8})[0]
    hole = curve.points[3].model_copy(update={"estimate": missing})
    curve = curve.model_copy(update={"points": (*curve.points[:3], hole, *curve.points[4:])})
    line = next(line for line in figures.drift([curve]).axes[0].lines if len(line.get_xdata()) == 8)
    assert [value != value for value in line.get_ydata()] == [False] * 3 + [True] + [False] * 4


def test_the_frontier_shows_the_region_that_the_record_has_cut_off_at_the_bounds():
    board = synthetic.board({"corrector": -0.8, "sycophant": 0.99})
    axes = figures.frontier(board).axes[0]
    by_target = {row.target: row for row in board.rows}
    corrector, sycophant = sorted((patch.get_xy() for patch in axes.patches), key=lambda xy: xy[:, 0].mean())
    assert corrector == pytest.approx(outline(by_target["corrector"].region))
    assert sycophant.max() == 1.0
    assert not axes.containers


def test_a_cell_without_a_region_has_a_cross_of_its_intervals():
    board = synthetic.board({"corrector": -0.8})
    row = board.rows[0].model_copy(update={"region": Region(reason="under 3 families with controls")})
    axes = figures.frontier(board.model_copy(update={"rows": (row,)})).axes[0]
    assert not axes.patches
    assert len(axes.containers) == 1
    assert "corrector" in words(axes.figure)


def test_empty_records_give_an_empty_figure():
    empty = synthetic.board().model_copy(update={"rows": ()})
    for figure in (figures.forest(empty), figures.frontier(empty), figures.drift([])):
        assert figures.svg(figure).startswith(b"<?xml")


def test_hostile_labels_are_only_shapes():
    label = "$\\frac{1}{0}$ <script>alert(1)</script>--><b>\x1b"
    board = synthetic.board({label: 0.4, "corrector": -0.8})
    root = ElementTree.fromstring(figures.svg(figures.forest(board)))
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert tags.isdisjoint({"script", "a", "foreignObject", "text", "image", "b"})
    assert {"svg", "path"} <= tags


def test_pyplot_stays_out():
    figures.forest(synthetic.board())
    assert "matplotlib.pyplot" not in sys.modules


def test_squares_stand_where_the_records_say():
    means = [
        m for m in synthetic.family_means({"a": -0.5, "b": 0.5}) if m.cell[0] == "a" or m.family != "five-g"
    ]
    cells = [("b", "none", "embedded"), ("a", "none", "embedded")]
    figure = figures.heat_map(means, cells, ["b", "a"])
    axes = figure.axes[0]
    (mesh,) = axes.collections
    shown = mesh.get_array()
    families = [label.get_text() for label in axes.get_yticklabels()]
    for mean in means:
        place = families.index(mean.family), cells.index(mean.cell)
        assert shown[place] == pytest.approx(mean.value)
    missing = [text for text in axes.texts if text.get_text() == "\u2013"]
    assert [text.get_position() for text in missing] == [(0.5, families.index("five-g") + 0.5)]
    sums = [shown[row].sum() for row in range(len(families)) if families[row] != "five-g"]
    assert sums == sorted(sums, reverse=True)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_numbers_read_well_on_their_squares(theme):
    from echosim.reporting.figures.paper import diverging, on_top_of
    from echosim.reporting.inks import INKS

    def luminance(colour):
        parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour[:3]]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    for step in range(101):
        face = diverging(INKS[theme])(step / 100)
        ink = 0.0 if on_top_of(face) == "#000000" else 1.0
        light, dark = sorted((luminance(face), ink), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_steps_stand_where_the_records_say():
    (found,) = synthetic.survival({"sycophant": 0.9})
    axes = figures.survival([found]).axes[0]
    corrected, captured = axes.lines[:2]
    for drawn, name in ((captured, "capture"), (corrected, "correction")):
        values = [100 * getattr(point, name).value for point in found.points]
        assert list(drawn.get_ydata()) == pytest.approx([0.0, *values, values[-1]])
    assert axes.get_ylim()[1] > max(captured.get_ydata())
