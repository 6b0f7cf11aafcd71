"""What calls in doubt may have cost, in words that a user can act on."""

import asyncio

import cast
import pytest
from hypothesis import given
from hypothesis import strategies as st

from echosim.running.budget import Call, Spent
from echosim.running.doubt import Doubt
from echosim.running.outcomes import Attempt
from echosim.running.stored_run import StoredRun
from echosim.study_records import Price


@pytest.mark.parametrize(
    ("doubt", "said"),
    [
        (Doubt(3, 3, 0.04), "3 calls may have been billed twice, at most $0.04"),
        (Doubt(1, 1, 0.0301), "1 call may have been billed twice, at most $0.04"),
        (Doubt(2, 2, 0.07), "2 calls may have been billed twice, at most $0.07"),
        (Doubt(1200, 1200, 1234.5), "1,200 calls may have been billed twice, at most $1,234.50"),
        (Doubt(3, 3, 0.000012), "3 calls may have been billed twice, at most $0.00002"),
        (Doubt(3, 3, 0.0), "3 calls may have been billed twice, at most $0.00"),
        (
            Doubt(3, 2, 0.04),
            "3 calls may have been billed twice, at most $0.04 for the 2 whose price is known",
        ),
        (Doubt(3, 0, 0.0), "3 calls may have been billed twice, their price is not known"),
        (Doubt(1, 0, 0.0), "1 call may have been billed twice, its price is not known"),
    ],
)
def test_how_it_is_said(doubt, said):
    assert str(doubt) == said


@given(st.floats(0, 1e6))
def test_the_bound_is_a_bound_and_no_cent_too_high(cost):
    said = float(str(Doubt(1, 1, cost)).rpartition("$")[2].replace(",", ""))
    assert said >= cost - 1e-9
    assert said <= max(cost * 2, cost + 0.01, 1e-6)


def test_only_calls_without_an_outcome_count_each_at_what_was_reserved(tmp_path):
    study = cast.study("echosim/corrector")

    async def scene(store):
        for target, settled in (("local", True), ("local", False), ("local", False), ("judge", False)):
            number = await store.intend(Call("t", target, 1, 1, "hash", Spent(1, 1_000_000, 500_000, 0)))
            if settled:
                await store.settle(number, Attempt("ok", text="x"), Spent(1, 10, 5, 0), estimated=False)

    with cast.opened(tmp_path, study) as store:
        asyncio.run(scene(store))
    with StoredRun(tmp_path) as run:
        prices = {"local": Price(input=1, output=2), "other": None}
        assert run.in_doubt(prices) == Doubt(3, 2, 4.0)
        assert run.in_doubt({**prices, "judge": Price(input=0, output=0)}) == Doubt(3, 3, 4.0)
        assert run.in_doubt({"local": None}) == Doubt(3, 0, 0.0)
