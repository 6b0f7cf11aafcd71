import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echosim.errors import LimitReachedError
from echosim.protocols import Message
from echosim.running.budget import Budget, Spent, call, likely_tokens, worst_prompt
from echosim.study_records import Limits, Price, TargetSpec

TARGET = TargetSpec(model="x/y", label="y", price=Price(input=2, output=5))


def test_a_call_costs_what_its_price_says():
    assert call(TARGET, 1_000_000, 200_000) == Spent(1, 1_000_000, 200_000, 3.0)
    assert call(TargetSpec(model="x/z", label="z"), 10, 10).cost == 0


@given(st.text(max_size=200))
def test_the_worst_case_holds_for_a_tokenizer_of_bytes(text):
    assert worst_prompt([Message("user", text)]) >= len(text.encode("utf-8", "replace"))
    assert likely_tokens(text) <= worst_prompt([Message("user", text)])


def test_a_guess_at_tokens_is_near_what_tokenizers_make():
    # The usual ones make 121.
    assert likely_tokens("It is the wind that makes the rain louder on tin. " * 10) == 112
    assert likely_tokens("") == 0
    assert likely_tokens("\u96e8" * 10) == 15


def test_half_a_character_can_be_counted():
    assert likely_tokens("\ud800") == 1


def test_what_does_not_fit_waits_for_what_is_under_way():
    async def scene():
        budget = Budget(Limits(max_tokens=100), ())
        big, small = call(TARGET, 80, 0), call(TARGET, 5, 0)
        await budget.reserve(big)
        second = asyncio.create_task(budget.reserve(big))
        await asyncio.sleep(0.01)
        assert not second.done()
        await budget.settle(big, small)
        await second
        await budget.settle(big, small)
        return budget.spent

    assert asyncio.run(scene()).tokens == 10


def test_once_reached_nothing_fits_and_all_who_wait_hear_it():
    async def scene():
        budget = Budget(Limits(max_calls=2), (), Spent(calls=1))
        one = call(TARGET, 1, 1)
        await budget.reserve(one)
        waiting = [asyncio.create_task(budget.reserve(one)) for _ in range(3)]
        await asyncio.sleep(0)
        await budget.settle(one, one)
        ends = await asyncio.gather(*waiting, return_exceptions=True)
        with pytest.raises(LimitReachedError):
            await budget.reserve(Spent())
        return ends, budget

    ends, budget = asyncio.run(scene())
    assert [str(end) for end in ends] == ["limit max_calls 2 reached"] * 3
    assert budget.spent.calls == 2


@given(
    bound=st.integers(1, 60),
    calls=st.lists(st.tuples(st.integers(0, 20), st.integers(1, 20), st.floats(0, 1)), max_size=12),
)
def test_spending_never_passes_the_bound(bound, calls):
    async def scene():
        budget = Budget(Limits(max_tokens=bound), ())

        async def one(prompt, completion, share):
            worst = call(TARGET, prompt, completion)
            await budget.reserve(worst)
            await asyncio.sleep(0)
            await budget.settle(worst, call(TARGET, int(prompt * share), int(completion * share)))

        await asyncio.gather(*(one(*c) for c in calls), return_exceptions=True)
        return budget

    budget = asyncio.run(scene())
    assert budget.spent.tokens <= bound
    assert budget._reserved == Spent()
