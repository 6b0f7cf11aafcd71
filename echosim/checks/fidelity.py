"""Does a seeded crowd move as people did in the studies that the belief engine was set to?

Each situation was given its bracket before the engine was built, and no bracket is to be widened: a row that
falls outside says that the engine is wrong, or that its constants were changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from echosim.belief.sessions import between_sessions, kept
from echosim.checks import order_sweep, repeats, spirals
from echosim.checks.crowd import Crowd, gather
from echosim.checks.fidelity_card import CalibrationRow, CalibrationTable, within
from echosim.persona_records import Persona
from echosim.records import BeliefState

FEWEST = 4000
"""Users below which chance alone could move a row over its bracket."""
_DIGITS = 6
_PAUSED = 200
"""Users who are followed over a gap."""

ASSUMED = "assumed"
CACIOPPO = "direction: Cacioppo, Petty & Morris 1983, Journal of Personality and Social Psychology 45"
CHANDRA = "Chandra et al. 2026, arXiv:2602.19141"
CHENG = "direction: Cheng et al. 2025, arXiv:2510.01395; size assumed"
COSTELLO = "Costello, Pennycook & Rand 2024, Science 385"
HACKENBURG = "Hackenburg et al. 2025, arXiv:2507.13919"
WOOD = "direction: Wood & Porter 2019, Political Behavior 41"
YANG = "direction: Yang, Schemanske & Searle 2021, Human Factors; size assumed"


@dataclass(frozen=True, slots=True)
class Bench:
    """What situations are tried on.

    Attributes:
        crowd: users in talk with scripted replies.
        personas: who speaks where words are needed.
        seed: of everything that is drawn.
    """

    crowd: Crowd
    personas: Sequence[Persona]
    seed: int


@dataclass(frozen=True, slots=True)
class Situation:
    """One demand on the engine; the bracket is read as in `CalibrationRow`.

    Attributes:
        measure: the number that the engine gives.
    """

    id: str
    words: str
    measure: Callable[[Bench], float]
    low: float | None
    high: float | None
    unit: str
    study: str
    strict: bool = False
    assumed: bool = False


def calibration_table(
    personas: Sequence[Persona], version: str, *, users: int = FEWEST, seed: int = 1, sweep: bool = False
) -> CalibrationTable:
    """Try every situation.

    Args:
        personas: for the conversations that are held twice; one or more.
        version: of echosim.
        users: size of the crowd, 4,000 or more.
        seed: of the crowd; the same seed and size give the same table.
        sweep: also halve and raise each constant and look at the order of the reference targets.

    Raises:
        ValueError: fewer than 4,000 users.
    """
    if users < FEWEST:
        raise ValueError(f"the brackets hold for {FEWEST:,} users or more, not {users:,}")
    bench = Bench(gather(users, seed), personas, seed)
    rows = tuple(row(situation, bench) for situation in SITUATIONS)
    swept = order_sweep.rows(bench.crowd) if sweep else ()
    return CalibrationTable(
        version=version,
        users=users,
        seed=seed,
        rows=rows,
        sweep=swept,
        passed=all(each.inside for each in rows)
        and all(each.by_capture and each.by_belief for each in swept),
    )


def row(situation: Situation, bench: Bench) -> CalibrationRow:
    """One situation, tried."""
    value = round(situation.measure(bench), _DIGITS) + 0.0  # never -0.0
    return CalibrationRow(
        id=situation.id,
        situation=situation.words,
        value=value,
        low=situation.low,
        high=situation.high,
        strict=situation.strict,
        unit=situation.unit,
        inside=within(value, situation.low, situation.high, situation.strict),
        study=situation.study,
        assumed=situation.assumed,
    )


# --- what is measured ---------------------------------------------------------------------------


def _moved(target: str, turns: int, mean: float) -> Callable[[Bench], float]:
    return lambda bench: bench.crowd.talk(target, turns, mean).change


def _relative(bench: Bench) -> float:
    talk = bench.crowd.talk("corrector", 3, 84)
    return 100 * talk.change / float(talk.before.mean())


def _under_the_midpoint(bench: Bench) -> float:
    return 100 * float((bench.crowd.talk("corrector", 3, 84).after < 50).mean())


def _beyond_neutral(bench: Bench) -> float:
    return bench.crowd.talk("sycophant", 8, 60).change - bench.crowd.talk("neutral", 8, 60).change


def _share_of_c1(bench: Bench) -> float:
    bare = bench.crowd.talk("contrarian without evidence", 3, 84)
    return bare.change / bench.crowd.talk("corrector", 3, 84).change


def _trust(target: str) -> Callable[[Bench], float]:
    return lambda bench: bench.crowd.talk(target, 10, 84).trust_change


def _with(trait: str, level: float) -> Callable[[Bench], float]:
    return lambda bench: bench.crowd.alike(trait, level).talk("corrector", 3, 84).change


def _high_minus_low(trait: str) -> Callable[[Bench], float]:
    high, low = _with(trait, 0.9), _with(trait, 0.1)
    return lambda bench: high(bench) - low(bench)


def _left_after_a_gap(r_keep: float) -> Callable[[Bench], float]:
    """The share of the change that is left, of the user in whom it is farthest from `r_keep`."""

    def left(bench: Bench) -> float:
        mind = bench.crowd.talk("corrector", 3, 84).mind
        states = [
            BeliefState(log_odds=log_odds, anchor=anchor, trust=trust)
            for log_odds, anchor, trust in zip(
                mind.log_odds[:_PAUSED], mind.anchor[:_PAUSED], mind.trust[:_PAUSED], strict=True
            )
        ]
        shares = [
            (between_sessions(state, r_keep).log_odds - state.anchor) / (state.log_odds - state.anchor)
            for state in states
        ]
        return max(shares, key=lambda share: abs(share - r_keep))

    return left


# --- the situations -----------------------------------------------------------------------------

SITUATIONS = (
    Situation("C1a", "corrector with new evidence, 3 replies, start 84: change",
              _moved("corrector", 3, 84), -20, -14, "points", COSTELLO),
    Situation("C1b", "the same, relative to the start", _relative, -24, -16, "%", COSTELLO),
    Situation("C2", "the same: users who end under 50", _under_the_midpoint, 18, 32, "% of users", COSTELLO),
    Situation("C3a", "neutral talk, 3 replies, start 84: change",
              _moved("neutral", 3, 84), -1, 1, "points", f"{COSTELLO} (control arm)"),
    Situation("C3b", "neutral talk, 10 replies, start 84: change",
              _moved("neutral", 10, 84), -1, 1, "points", f"{COSTELLO} (control arm)"),
    Situation("C4", "sycophant minus neutral, 8 replies, start 60: change",
              _beyond_neutral, 10, 20, "points", CHENG, assumed=True),
    Situation("C5a", "contrarian without evidence, 3 replies, start 84: change",
              _moved("contrarian without evidence", 3, 84), -8, 0, "points",
              f"direction: {HACKENBURG}; size assumed", strict=True, assumed=True),
    Situation("C5b", "the same, as a share of C1a", _share_of_c1, 0, 0.5, "of C1a",
              f"direction: {HACKENBURG}; size assumed", strict=True, assumed=True),
    Situation("C6a", "capitulator, start 84: change after its 2 corrections",
              _moved("capitulator", 2, 84), None, -8, "points", ASSUMED, strict=True, assumed=True),
    Situation("C6b", "capitulator, start 84: change after 10 replies, 8 of them caving in",
              _moved("capitulator", 10, 84), -4, 4, "points", ASSUMED, assumed=True),
    Situation("C6c", "capitulator, start 75: change after its 2 corrections",
              _moved("capitulator", 2, 75), None, -8, "points", ASSUMED, strict=True, assumed=True),
    Situation("C6d", "capitulator, start 75: change after 10 replies, 8 of them caving in",
              _moved("capitulator", 10, 75), -4, 4, "points", ASSUMED, assumed=True),
    Situation("C7a", "sycophant, 10 replies, start 84: change of trust",
              _trust("sycophant"), 0.05, None, "trust", CHENG, strict=True, assumed=True),
    Situation("C7b", "contrarian, 10 replies, start 84: change of trust",
              _trust("contrarian"), None, -0.15, "trust", YANG, strict=True, assumed=True),
    Situation("C8a", "corrector as in C1a, identity .9 for all: change, no backfire",
              _with("identity", 0.9), None, 0, "points", WOOD),
    Situation("C8b", "change at identity .9 minus change at .1: weaker",
              _high_minus_low("identity"), 0, None, "points", WOOD, strict=True),
    Situation("C9", "change at cognition .9 minus change at .1: stronger",
              _high_minus_low("cognition"), None, 0, "points", CACIOPPO, strict=True),
    Situation("C10a", "false claim: share of the change of log-odds left after a gap",
              _left_after_a_gap(kept("false")), 1, 1, "share", COSTELLO),
    Situation("C10b", "contested claim: the same",
              _left_after_a_gap(kept("contested")), 0.4, 0.4, "share", f"{HACKENBURG} (36 to 42%)"),
    Situation("C11a", "ideal observer, honest bot: runs that spiral (Ville's inequality)",
              lambda bench: spirals.share(0.0, False, bench.seed), 0, spirals.VILLE, "share", "Ville 1939"),
    Situation("C11b", "hallucinating bot, always sycophantic: one half by symmetry, up to chance",
              lambda bench: spirals.share(1.0, False, bench.seed), 0.5 - spirals.OF_CHANCE,
              0.5 + spirals.OF_CHANCE, "share", "symmetry of the model"),
    Situation("C11c", "least rise of spirals from a dose to the next, both bots",
              lambda bench: spirals.smallest_rise(bench.seed), 0, None, "share", CHANDRA, strict=True),
    Situation("C11d", "least excess of the hallucinating over the factual bot",
              lambda bench: spirals.smallest_gap(bench.seed), 0, None, "share", CHANDRA, strict=True),
    Situation("C11e", "spirals at dose .1 minus spirals at 0",
              lambda bench: spirals.share(0.1, False, bench.seed) - spirals.share(0.0, False, bench.seed),
              0, None, "share", CHANDRA, strict=True),
    Situation("C11f", "dose .8: runs that end in the middle third, minus the emptier outer third",
              lambda bench: spirals.in_between(bench.seed), None, 0, "share", "property of the model",
              strict=True),
    Situation("C12", "conversations that differ by a byte when held again from the same seed",
              lambda bench: repeats.differing(bench.personas, bench.seed), 0, 0, "talks",
              "rule of echosim, no study"),
)  # fmt: skip
"""The definition of the table, for the command and the tests alike."""
