from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from echosim.records import Trial
from echosim.running.lanes import Lane, lanes


def trial(target, n=0):
    return Trial(
        id=f"{target}-{n}",
        persona="p",
        family="p",
        role="holder",
        target=target,
        arm="none",
        user="embedded",
        seed=n,
        turns=1,
    )


@given(st.lists(st.sampled_from("abc")), st.integers(1, 5))
def test_every_trial_is_taken_once_and_in_the_order_of_its_target(targets, workers):
    trials = [trial(target, n) for n, target in enumerate(targets)]
    lane = Lane(trials)
    assert len(lane) == len(trials)
    taken = []
    working = [lane.work() for _ in range(workers)]
    while working:
        for worker in list(working):
            found = next(worker, None)
            if found is None:
                working.remove(worker)
            else:
                taken.append(found)
    assert Counter(taken) == Counter(trials)
    for target in "abc":
        seeds = [found.seed for found in taken if found.target == target]
        assert seeds == sorted(seeds)


def test_workers_are_shared_evenly_and_one_that_is_free_goes_where_fewest_are():
    lane = Lane([*(trial("slow", n) for n in range(9)), *(trial("fast", n) for n in range(9))])
    workers = [lane.work() for _ in range(6)]
    held = [next(worker) for worker in workers]
    assert Counter(found.target for found in held) == {"slow": 3, "fast": 3}
    fast = next(n for n, found in enumerate(held) if found.target == "fast")
    assert [next(workers[fast]).target for _ in range(6)] == ["fast"] * 6
    assert next(workers[fast]).target == "slow"


def test_a_worker_that_leaves_takes_no_place_with_it():
    lane = Lane([trial("a", n) for n in range(4)])
    worker = lane.work()
    next(worker)
    worker.close()
    assert not +lane._live


def test_every_server_has_a_lane():
    found = lanes([trial("a"), trial("b"), trial("c")], {"a": "x", "b": "y", "c": "x"})
    assert {name: len(lane) for name, lane in found.items()} == {"x": 2, "y": 1}
