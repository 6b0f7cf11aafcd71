"""Which trial a free worker takes: every server has workers of its own, and its targets take turns.

So a slow server holds up nobody else, and a slow target no more of its server than its share.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping

from echosim.records import Trial


class Lane:
    """The trials of one server that wait, by target; each target's in the order of the plan."""

    def __init__(self, trials: Iterable[Trial]) -> None:
        self._waiting: dict[str, deque[Trial]] = {}
        self._live: Counter[str] = Counter()
        for trial in trials:
            self._waiting.setdefault(trial.target, deque()).append(trial)

    def __len__(self) -> int:
        """Trials that wait."""
        return sum(map(len, self._waiting.values()))

    def work(self) -> Iterator[Trial]:
        """Trials for one worker, each to be done with before the next is taken.

        The next is one of the target with the fewest conversations under way among those that have any
        waiting; the first named of equals.
        """
        while self._waiting:
            target = min(self._waiting, key=self._live.__getitem__)
            trial = self._waiting[target].popleft()
            if not self._waiting[target]:
                del self._waiting[target]
            self._live[target] += 1
            try:
                yield trial
            finally:
                self._live[target] -= 1


def lanes(trials: Iterable[Trial], servers: Mapping[str, str]) -> dict[str, Lane]:
    """Trials sorted into lanes.

    Args:
        trials: in the order of the plan.
        servers: name of the server behind each target's label.
    """
    by_server: dict[str, list[Trial]] = {}
    for trial in trials:
        by_server.setdefault(servers[trial.target], []).append(trial)
    return {server: Lane(found) for server, found in by_server.items()}
