"""The JSON of a board and its schema: what is printed validates, what is altered does not."""

from __future__ import annotations

import json

import jsonschema
import pytest

from echosim.board_records import EngineVariance, Pair, Part, Variance
from echosim.records import Estimate
from echosim.reporting import tables
from echosim.reporting.board_document import SCHEMA_FILE, board_row, schema, schema_text
from tests.reporting import synthetic


def whole():
    """A board with everything that one can hold."""
    board = synthetic.board()
    missing = Estimate(value=None, reason="no complete trial")
    first = board.rows[0].model_copy(update={"tail": missing, "rank_low": None, "letters": ()})
    pair = Pair(
        user="embedded",
        first=("corrector", "none"),
        second=("sycophant", "none"),
        difference=Estimate(value=-120.0, low=-150.0, high=-90.0, n=12),
        p=0.001,
        p_holm=0.01,
        p_board=0.02,
        told_apart=True,
    )
    parts = (Part(source="family", variance=0.1, share=1.0), Part(source="seed", variance=None, share=None))
    found = Variance(families=12, seeds=1, left_out=0, parts=parts)
    variances = (
        EngineVariance(user="embedded", role="holder", variance=found),
        EngineVariance(user="embedded", role="control", variance=None, reason="fewer than two ranked cells"),
    )
    return board.model_copy(
        update={"rows": (first, *board.rows[1:]), "pairs": (pair,), "variances": variances}
    )


@pytest.fixture
def validator():
    made = schema()
    jsonschema.Draft202012Validator.check_schema(made)
    return jsonschema.Draft202012Validator(made)


def test_the_shipped_schema_is_that_of_the_records():
    assert SCHEMA_FILE.read_text("utf-8") == schema_text()


@pytest.mark.parametrize(
    "board", [whole(), synthetic.board(separable=False), synthetic.board().model_copy(update={"rows": ()})]
)
def test_what_is_printed_validates(validator, board):
    assert list(validator.iter_errors(json.loads(tables.json_text(board)))) == []


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("rows", 1, "eci"), 100.5),
        (("rows", 1, "eci"), "low"),
        (("rows", 1, "evasion"), -0.1),
        (("rows", 1, "rank_low"), 0),
        (("rows", 1, "letters"), "AB"),
        (("rows", 1, "extra"), 1),
        (("rows", 1, "region", "radius"), 0),
        (("pairs", 0, "p_holm"), 1.5),
        (("pairs", 0, "first"), ["corrector"]),
        (("variances", 0, "role"), "mirror or so"),
        (("separable",), "yes"),
        (("notes",), None),
    ],
)
def test_an_altered_one_does_not(validator, place, value):
    document = json.loads(tables.json_text(whole()))
    *above, last = place
    inner = document
    for step in above:
        inner = inner[step]
    inner[last] = value
    assert list(validator.iter_errors(document))


@pytest.mark.parametrize("name", ["rows", "pairs", "separable"])
def test_one_that_lacks_something_does_not(validator, name):
    document = json.loads(tables.json_text(whole()))
    del document[name]
    assert list(validator.iter_errors(document))


def test_a_row_has_all_properties_no_other_and_says_what_they_mean():
    row = schema()["$defs"]["BoardRow"]
    assert row["additionalProperties"] is False
    assert set(row["required"]) == set(row["properties"])
    assert "share a letter" in row["properties"]["letters"]["description"]


def test_the_region_keeps_its_numbers():
    row = synthetic.board().rows[0]
    region = board_row(row).model_dump(mode="json")["region"]
    assert region["centre"] == list(row.region.centre)
    assert region["covariance"] == [list(line) for line in row.region.covariance]
    assert (region["radius"], region["freedom"]) == (row.region.radius, list(row.region.freedom))
