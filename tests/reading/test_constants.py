from __future__ import annotations

import pytest

from echosim.inputs.personas import load_personas, shipped
from echosim.reading import constants, heads
from echosim.reading.constants import best_threshold, constants_for
from echosim.reading.embedding import Encoder


def test_the_default_encoder_has_a_stored_table_that_leaves_each_family_out(encoder: Encoder) -> None:
    table = constants._stored()[encoder.identity]
    families = {persona.family for persona in load_personas(shipped())}
    assert set(table.without) == families
    assert table.of("somebody-elses") == table.over_all
    assert len({table.of(family).model_dump_json() for family in families}) > 1


@pytest.mark.slow
def test_the_stored_table_is_what_measuring_gives(encoder: Encoder) -> None:
    fitted = heads.fit(encoder.embed)
    measured = constants.measure(encoder.embed, fitted, load_personas(shipped()))
    stored = constants_for(encoder, fitted)
    for name, value in measured.over_all.model_dump().items():
        assert getattr(stored.over_all, name) == pytest.approx(value, rel=0.02, abs=0.005), name


def test_best_threshold_lies_in_the_gap() -> None:
    assert 0.4 < best_threshold([0.8, 0.9, 0.7], [0.1, 0.2, 0.4]) < 0.7
    assert best_threshold([0.6, 0.3, 0.9, 0.7], [0.1, 0.2, 0.8]) == pytest.approx(0.25)
