import asyncio
import itertools
import math

import pytest
import virtual_time
from hypothesis import given
from hypothesis import strategies as st

from echosim import draws
from echosim.running.endpoint import Endpoint


def now():
    return asyncio.get_running_loop().time()


def burst(endpoint, count, verdict, pause=None):
    """So many requests at once, all answered alike."""

    async def scene():
        given_ = [await endpoint.enter("t", n) for n in range(count)]
        for each in given_:
            endpoint.leave(each, verdict, pause)

    return scene()


def test_one_burst_of_429s_cuts_once_and_answers_win_the_room_back_one_by_one():
    async def scene():
        endpoint = Endpoint(32)
        await burst(endpoint, 32, "throttled")
        rooms = [endpoint.room]
        await burst(endpoint, 25, "throttled")
        rooms.append(endpoint.room)
        for answers in (19, 1, 21, 22 * 23):
            for _ in range(answers):
                await burst(endpoint, 1, "answered")
            rooms.append(endpoint.room)
        return rooms

    assert virtual_time.run(scene()) == [25, 20, 20, 21, 22, 32]


def test_trouble_of_the_server_cuts_nothing_and_puts_growth_off():
    async def scene():
        endpoint = Endpoint(10)
        await burst(endpoint, 10, "throttled")
        assert endpoint.room == 8
        for _ in range(20):
            await burst(endpoint, 7, "answered")
            await burst(endpoint, 1, "trouble")
        rooms = [endpoint.room]
        await burst(endpoint, 8, "answered")
        return [*rooms, endpoint.room]

    assert virtual_time.run(scene()) == [8, 9]


def test_the_room_never_falls_below_one():
    async def scene():
        endpoint = Endpoint(4)
        for _ in range(20):
            await burst(endpoint, 1, "throttled")
        return endpoint.room

    assert virtual_time.run(scene()) == 1


def test_in_a_pause_one_goes_each_time_it_would_be_over_until_one_is_answered():
    async def scene():
        endpoint, went = Endpoint(8), []

        async def one(ticket):
            while True:
                given_ = await endpoint.enter("t", ticket)
                went.append(now())
                await asyncio.sleep(0.01)
                if now() >= 10:
                    endpoint.leave(given_, "answered")
                    return
                endpoint.leave(given_, "throttled", 2.0)

        await asyncio.gather(*(one(n) for n in range(20)))
        return went

    went = virtual_time.run(scene())
    during = [at for at in went if at < 10]
    assert len(during) == 8 + 4
    assert during[:8] == [0.0] * 8
    assert all(later - sooner >= 2 for sooner, later in itertools.pairwise(during[7:]))
    assert went[12] == pytest.approx(10.05)
    assert went[-1] < 10.2


def test_a_pause_without_an_answer_lets_one_more_go_each_time():
    async def scene():
        endpoint, went = Endpoint(4), []
        await burst(endpoint, 1, "throttled", 1.0)

        async def one(ticket):
            await endpoint.enter("t", ticket)
            went.append(now())

        others = [asyncio.create_task(one(n)) for n in range(5)]
        await asyncio.sleep(60)
        for other in others:
            other.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        return went

    assert virtual_time.run(scene()) == pytest.approx([1.0, 2.0, 3.0])


@given(
    rpm=st.sampled_from([None, 30.0, 600.0]),
    tpm=st.sampled_from([None, 1000.0, 60_000.0]),
    tokens=st.lists(st.integers(1, 400), min_size=2, max_size=40),
)
def test_no_minute_sees_more_than_the_rates(rpm, tpm, tokens):
    async def scene():
        endpoint, went = Endpoint(16, rpm, tpm), []

        async def one(ticket, count):
            given_ = await endpoint.enter("t", ticket, count)
            went.append((now(), count))
            await asyncio.sleep(0.5)
            endpoint.leave(given_, "answered", tokens=count)

        await asyncio.gather(*(one(n, count) for n, count in enumerate(tokens)))
        return went

    went = virtual_time.run(scene())
    assert len(went) == len(tokens)
    for start, _ in went:
        minute = [count for at, count in went if start <= at < start + 60 - 1e-6]
        assert rpm is None or len(minute) <= rpm
        # The last call of a minute may begin at its end.
        assert tpm is None or sum(minute[:-1]) <= tpm


def test_tokens_that_were_not_used_are_given_back():
    async def scene():
        endpoint = Endpoint(4, tpm=600)
        for n in range(11):
            endpoint.leave(await endpoint.enter("t", n, 100), "answered", tokens=10)
        return now()

    assert virtual_time.run(scene()) == pytest.approx(10.0)


def test_a_retry_keeps_its_place():
    async def scene():
        endpoint, order = Endpoint(1), []

        async def one(ticket):
            given_ = await endpoint.enter("t", ticket)
            order.append(ticket)
            await asyncio.sleep(1)
            endpoint.leave(given_, "answered")

        await asyncio.gather(*(one(ticket) for ticket in (9, 5, 7, 1)))
        return order

    assert virtual_time.run(scene()) == [9, 1, 5, 7]


def sharing(slow, fast, in_flight=16, others=()):
    """Requests of 100 s and of 1 s; gives (target, begun, ended) in the order of ending."""

    async def scene():
        endpoint, done = Endpoint(in_flight), []

        async def one(target, ticket, seconds):
            given_ = await endpoint.enter(target, ticket)
            begun = now()
            await asyncio.sleep(seconds)
            endpoint.leave(given_, "answered")
            done.append((target, begun, now()))

        await asyncio.gather(
            *(one(name, n, 1.0) for n, name in enumerate(others)),
            *(one("slow", 1000 + n, 100.0) for n in range(slow)),
            *(one("fast", 10_000 + n, 1.0) for n in range(fast)),
        )
        return done

    return virtual_time.run(scene())


def test_a_slow_target_leaves_a_fast_one_its_share():
    done = sharing(slow=100, fast=100, others=["fast"])
    last = max(end for target, _, end in done if target == "fast")
    # Three slots are kept at the least, four most of the time.
    assert last <= 101 / 3 + 1


def test_a_target_that_is_alone_has_all_room():
    done = sharing(slow=64, fast=0)
    assert max(end for *_, end in done) == pytest.approx(400.0)


def test_a_target_that_has_gone_keeps_no_room():
    done = sharing(slow=200, fast=4)
    assert sum(begun == pytest.approx(600.0) for _, begun, _ in done) == 16


@pytest.mark.parametrize("in_flight", [1, 2, 3])
def test_more_targets_than_room_all_come_to_their_end(in_flight):
    async def scene():
        endpoint = Endpoint(in_flight)

        async def one(target, ticket):
            given_ = await endpoint.enter(target, ticket)
            await asyncio.sleep(1)
            endpoint.leave(given_, "answered")

        await asyncio.gather(*(one(f"t{n % 7}", n) for n in range(21)))
        return now()

    assert virtual_time.run(scene()) == math.ceil(21 / in_flight)


@given(st.integers(0, 1000))
def test_whatever_happens_no_room_is_lost(seed):
    """Waiters that are cancelled, at whatever moment, take no place with them."""

    async def scene():
        endpoint = Endpoint(3)

        async def one(n):
            given_ = await endpoint.enter("ab"[n % 2], n)
            try:
                await asyncio.sleep(draws.uniform(seed, n, "length"))
            finally:
                endpoint.leave(given_, "answered")

        tasks = [asyncio.create_task(one(n)) for n in range(20)]
        for n, task in enumerate(tasks):
            if draws.uniform(seed, n, "cancelled") < 0.5:
                asyncio.get_running_loop().call_later(3 * draws.uniform(seed, n, "when"), task.cancel)
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(end is None or isinstance(end, asyncio.CancelledError) for end in ends)
        return endpoint

    endpoint = virtual_time.run(scene())
    assert endpoint._total == 0
    assert not +endpoint._under_way


def test_a_waiter_cancelled_just_as_it_is_let_out_gives_its_place_back():
    async def scene():
        endpoint = Endpoint(1)
        first = await endpoint.enter("t", 0)
        second = asyncio.create_task(endpoint.enter("t", 1))
        await asyncio.sleep(0)
        endpoint.leave(first, "answered")
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
        return await endpoint.enter("t", 2)

    assert virtual_time.run(scene()).number == 3


def test_who_waits_is_told_when_it_closes():
    async def scene():
        endpoint = Endpoint(1, rpm=1)
        await endpoint.enter("t", 0)
        waiting = [asyncio.create_task(endpoint.enter("t", n)) for n in (1, 2)]
        await asyncio.sleep(0)
        endpoint.close()
        return [*await asyncio.gather(*waiting), await endpoint.enter("t", 3), now()]

    assert virtual_time.run(scene()) == [None, None, None, 0.0]
