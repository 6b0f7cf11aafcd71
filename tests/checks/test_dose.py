"""Known doses: whether the board follows, and whether drift and capitulation are recovered."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from echosim.board_records import Leaderboard
from echosim.checks import dose
from echosim.checks.dose import DOSES, PATIENCE, RATES, TURNS, as_meant, course_study, dose_study
from echosim.checks.report_card import DoseCard
from echosim.records import Transcript
from echosim.scoring import ranking
from tests.checks.numbers import personas
from tests.scoring import synthetic

SPEAKERS = personas()
HOLDERS = [persona for persona in SPEAKERS if persona.role == "holder"]
BY_ID = {persona.id: persona for persona in SPEAKERS}
COURSES = [f"drifter({rate})" for rate in RATES] + [f"capitulator({n})" for n in PATIENCE]


def board(stance: Callable[[float], float], roles: Mapping[str, float] | None = None) -> Leaderboard:
    """Of targets whose stance toward holders depends on the dose; each role answers with a sign."""
    signs = {"holder": 1.0, "control": 0.0} if roles is None else roles
    seen = [
        synthetic.observation(
            synthetic.trial(TURNS, role, family, f"echosim/mix({pi})"),  # type: ignore[arg-type]
            said=sign * stance(pi),
        )
        for pi in DOSES
        for family in ("f1", "f2", "f3")
        for role, sign in signs.items()
    ]
    return ranking.leaderboard(seen, [one.trial for one in seen], date="2025-01-01", reader="r", encoder="e")


def course(target: str, stance: Callable[[float], float | None] = lambda right: right) -> list[Transcript]:
    """What each holder hears of a target, as a reader reads it; every message asserts the claim once more."""
    found = []
    for holder in HOLDERS:
        of = synthetic.trial(TURNS, "holder", holder.family, f"echosim/{target}")
        of = of.model_copy(update={"persona": holder.id})
        meant = as_meant(synthetic.transcript([0.0] * TURNS, of=of), holder)
        read = [stance(turn.reading.stance) for turn in meant.turns]  # type: ignore[arg-type]
        found.append(synthetic.transcript(read, of=of))
    return found


def judged(
    bend: Callable[[float], float | None] = lambda right: right, of: Leaderboard | None = None
) -> DoseCard:
    courses = [one for target in COURSES for one in course(target, bend)]
    return dose.card(of or board(lambda pi: 1.4 * pi - 0.7), courses, BY_ID)


# --- studies ----------------------------------------------------------------------------------------------


def test_the_studies_hold_known_targets_with_bank_test() -> None:
    doses, courses = dose_study(SPEAKERS), course_study(SPEAKERS)
    assert [target.label for target in doses.targets] == [f"echosim/mix({pi})" for pi in DOSES]
    assert doses.personas == SPEAKERS
    assert [target.label for target in courses.targets] == [f"echosim/{name}" for name in COURSES]
    assert list(courses.personas) == HOLDERS
    for study in (doses, courses):
        assert all(target.is_reference for target in study.targets)
        assert (study.bank, study.turns, study.seeds, study.anchors) == ("test", TURNS, (1,), False)
    assert len(DOSES) >= 6
    assert (DOSES[0], DOSES[-1]) == (0, 1)


# --- what was meant ---------------------------------------------------------------------------------------


def test_what_a_drifter_meant_is_a_straight_line() -> None:
    (talk, _) = course("drifter(0.1)")
    stances = [turn.reading.stance for turn in talk.turns]
    assert stances == pytest.approx([-0.9 + 0.1 * n for n in range(TURNS)])


@pytest.mark.parametrize("patience", PATIENCE)
def test_what_a_capitulator_meant_turns_after_its_pushbacks(patience: int) -> None:
    (talk, _) = course(f"capitulator({patience})")
    signs = [turn.reading.stance > 0 for turn in talk.turns]  # type: ignore[operator]
    assert signs == [False] * patience + [True] * (TURNS - patience)


def test_only_the_stance_is_put_in_place() -> None:
    (talk, _) = course("drifter(0.1)", lambda _: 0.0)
    meant = as_meant(talk, HOLDERS[0])
    assert meant.trial == talk.trial
    for turn, read in zip(meant.turns, talk.turns, strict=True):
        assert turn.reading.model_copy(update={"stance": 0.0}) == read.reading
        assert (turn.user, turn.reply, turn.side) == (read.user, read.reply, read.side)


# --- the card ---------------------------------------------------------------------------------------------


def test_who_reads_what_is_meant_recovers_everything() -> None:
    card = judged()
    assert (card.spearman, card.slope_r2, card.flip_error, card.flips_found) == (1, 1, 0, 1)
    assert card.slope_r2_single == 1
    assert (card.slope_trials, card.flip_trials) == (len(RATES) * 2, len(PATIENCE) * 2)
    assert (card.incomplete, card.missing) == (0, ())
    assert list(card.eci) == sorted(card.eci)  # type: ignore[type-var]


def test_who_reads_upside_down_recovers_nothing() -> None:
    card = judged(lambda right: -right, board(lambda pi: 0.7 - 1.4 * pi))
    assert (card.spearman, card.slope_r2, card.flips_found) == (-1, -1, 0)
    assert card.flip_error is None
    assert card.missing == ("none of 6 capitulations was found",)


def test_who_reads_the_same_in_everything_has_no_values_and_no_zeros() -> None:
    card = judged(lambda _: 0.2, board(lambda _: 0.2))
    assert (card.spearman, card.slope_r2, card.flip_error, card.flips_found) == (None, None, None, 0)
    assert card.missing == (
        "the ECI is the same at every dose",
        "drift slopes, read or meant, do not vary over 12 conversations",
        "none of 6 capitulations was found",
    )


def test_a_mean_over_conversations_tells_more_than_one() -> None:
    talks = []
    for n, rate in enumerate(RATES):
        for one, sign in zip(course(f"drifter({rate})"), (1, -1), strict=True):
            bent = [
                max(-1.0, min(1.0, (turn.reading.stance or 0.0) + sign * 0.05 * turn.index * (n % 2)))
                for turn in one.turns
            ]
            talks.append(synthetic.transcript(bent, of=one.trial))
    card = dose.card(board(lambda pi: pi), talks, BY_ID)
    assert card.slope_r2 is not None
    assert card.slope_r2_single is not None
    assert 0 < card.slope_r2_single < card.slope_r2


def test_a_late_reader_is_off_by_its_turns() -> None:
    def late(target: str) -> list[Transcript]:
        found = []
        for talk in course(target):
            stances = [turn.reading.stance for turn in talk.turns]
            found.append(synthetic.transcript([stances[0], *stances[:-1]], of=talk.trial))
        return found

    talks = [one for n in PATIENCE for one in late(f"capitulator({n})")]
    card = dose.card(board(lambda pi: pi), talks, BY_ID)
    assert (card.flip_error, card.flips_found) == (1, 1)


def test_a_dose_without_index_is_missing_with_its_reason() -> None:
    card = judged(of=board(lambda pi: pi, {"holder": 1.0}))
    assert card.eci == (None,) * len(DOSES)
    assert card.spearman is None
    assert len(card.missing) == len(DOSES)
    assert card.missing[1].startswith("no ECI at dose 0.2: ")
    assert not card.missing[1].endswith(("None", ": "))


def test_without_conversations_nothing_is_made_up() -> None:
    card = dose.card(board(lambda pi: pi), [], BY_ID)
    assert (card.slope_r2, card.flip_error, card.flips_found) == (None, None, None)
    assert (card.slope_trials, card.flip_trials) == (0, 0)


def test_what_did_not_complete_is_counted() -> None:
    of = board(lambda pi: pi)
    short = of.model_copy(
        update={"rows": (of.rows[0].model_copy(update={"complete": of.rows[0].complete - 2}), *of.rows[1:])}
    )
    failed = [one.model_copy(update={"status": "failed"}) for one in course("drifter(0.1)")]
    card = dose.card(short, [*failed, *course("drifter(0.2)")], BY_ID)
    assert card.incomplete == 4
    assert card.slope_trials == 2
