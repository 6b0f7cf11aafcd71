import pytest
from hypothesis import given
from hypothesis import strategies as st

from echosim.checks.fidelity_card import CalibrationRow, CalibrationTable, dump, load, within

ROW = {"id": "C1", "situation": "words", "value": -16.5, "low": -20, "high": -14, "unit": "points",
       "inside": True, "study": "assumed"}  # fmt: skip
end = st.one_of(st.none(), st.floats(-100, 100))


@pytest.mark.parametrize(
    ("value", "low", "high", "strict", "inside"),
    [
        (-20, -20, -14, False, True),
        (-20, -20, -14, True, False),
        (-14, -20, -14, True, False),
        (-20.000001, -20, -14, False, False),
        (-13.9, -20, -14, False, False),
        (1e9, 0, None, False, True),
        (-1e9, None, 0, True, True),
        (0, None, 0, True, False),
        (5, None, None, True, True),
    ],
)
def test_what_is_inside_a_bracket(value, low, high, strict, inside):
    assert within(value, low, high, strict) is inside


@given(st.floats(-100, 100), end, end)
def test_leaving_the_ends_out_never_lets_more_in(value, low, high):
    assert within(value, low, high, strict=False) or not within(value, low, high, strict=True)


@pytest.mark.parametrize("change", [{"inside": False}, {"value": -25.0}, {"low": -16.0}])
def test_a_row_that_contradicts_itself_is_refused(change):
    with pytest.raises(ValueError, match="C1: 'inside' is not what value and bracket say"):
        CalibrationRow.model_validate({**ROW, **change})


def test_dump_and_load_are_inverse():
    table = CalibrationTable(
        version="1", users=4000, seed=1, rows=(CalibrationRow.model_validate(ROW),), passed=True
    )
    assert load(dump(table)) == table
    assert dump(load(dump(table))) == dump(table)
    assert dump(table).endswith("}\n")
    with pytest.raises(ValueError, match="rows"):
        load("{}")
