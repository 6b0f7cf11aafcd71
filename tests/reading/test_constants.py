from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from echosim.inputs.personas import load_personas, shipped
from echosim.reading import constants
from echosim.reading.constants import best_threshold, constants_for
from echosim.reading.embedding import Encoder
from echosim.reading.learned import learn, learned_for
from echosim.reading.lens import View


def test_the_default_encoder_has_a_shipped_table_that_leaves_each_family_out(
    encoder: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ECHOSIM_CACHE", str(tmp_path))
    monkeypatch.setattr(
        constants, "measure", lambda *_: pytest.fail("the shipped table is not for this bank")
    )
    table = constants_for(encoder, learned_for(encoder))
    families = {persona.family for persona in load_personas(shipped())}
    assert set(table.without) == families
    assert table.of("somebody-elses") == table.over_all
    assert len({table.of(family).model_dump_json() for family in families}) > 1


def change(view: View) -> np.ndarray:
    """What a view does, however its directions are turned."""
    return view.weights @ view.directions


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_shipped_numbers_are_what_fitting_and_measuring_give(encoder: Encoder) -> None:
    fitted, stored = learn(encoder), learned_for(encoder)
    for mine, theirs in (
        (change(fitted.lens.said), change(stored.lens.said)),
        (change(fitted.lens.held), change(stored.lens.held)),
        (fitted.heads.acceptance, stored.heads.acceptance),
        (fitted.heads.warmth, stored.heads.warmth),
    ):
        # Float sums differ in the last bits between machines, and gradient steps add up.
        assert np.corrcoef(mine.ravel(), theirs.ravel())[0, 1] > 0.999
    measured = constants.measure(encoder.read, stored, load_personas(shipped()))
    shipped_table = constants_for(encoder, stored)
    for name, value in measured.over_all.model_dump().items():
        assert getattr(shipped_table.over_all, name) == pytest.approx(value, rel=0.02, abs=0.005), name


def test_a_table_for_other_banks_is_measured_anew(
    encoder: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Unknown:
        identity, name, read = "unknown", "unknown", None

    table = constants_for(encoder, learned_for(encoder))
    measured: list[object] = []
    monkeypatch.setenv("ECHOSIM_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "measure", lambda *all_: measured.append(all_) or table)
    for basis in ("one", "one", "other"):
        monkeypatch.setattr(constants, "basis", lambda basis=basis: basis)
        assert constants_for(Unknown(), None) == table  # type: ignore[arg-type]
    assert len(measured) == 2


@pytest.mark.parametrize("text", ["", "{", "[]", '{"unknown": 3}'])
def test_a_damaged_table_file_holds_nothing(tmp_path: Path, text: str) -> None:
    path = constants.place(tmp_path)
    path.write_text(text)
    assert constants._entries(path.read_text()) == {}


def test_best_threshold_lies_in_the_gap() -> None:
    assert 0.4 < best_threshold([0.8, 0.9, 0.7], [0.1, 0.2, 0.4]) < 0.7
    assert best_threshold([0.6, 0.3, 0.9, 0.7], [0.1, 0.2, 0.8]) == pytest.approx(0.25)
