"""The loop gain on talks of known slope, and on targets that do or do not react to a number."""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean

import pytest

from echosim import draws
from echosim.belief import engine
from echosim.inputs.personas import load_personas
from echosim.persona_records import Persona
from echosim.protocols import Intent, Message, Moment, TargetRequest
from echosim.records import Reading, Transcript, Turn
from echosim.scoring.loop_gain import LoopGain, answer_to, loop_gains
from echosim.targets.corrector import Corrector
from echosim.targets.sycophant import Sycophant
from echosim.users.embedded import VOICED, EmbeddedUser
from tests.scoring.synthetic import logit, nudge, persona, reported, transcript, trial

SPEAKER = persona()


# --- known slopes -------------------------------------------------------------------------------


def made(
    slope: float, families: int = 12, noise: float = 0.15, seed: int = 1, p: float = 0.8
) -> list[Transcript]:
    """Talks whose stance is a level of the talk's own, a slope on the number, and noise."""
    talks = []
    for f in range(families):
        who = (seed, f)
        voiced = [draws.choice(VOICED, *who, t, "voiced") for t in range(10)]
        level = 0.2 * draws.normal(*who, "level")
        own = slope + 0.1 * draws.normal(*who, "slope")
        stances = [
            level + own * (c - 0.75) + noise * draws.normal(*who, t, "noise") for t, c in enumerate(voiced)
        ]
        clipped = [min(max(stance, -1.0), 1.0) for stance in stances]
        talk = transcript(clipped, [logit(p)] * 11, of=trial(10, family=f"f{f:02}", user="nudging"))
        talks.append(reported(talk, [nudge(c) for c in voiced]))
    return talks


def only(talks: Sequence[Transcript], speaker: Persona = SPEAKER) -> LoopGain:
    (found,) = loop_gains((talk, speaker.traits) for talk in talks)
    return found


@pytest.mark.parametrize("slope", [-0.4, 0.0, 0.6])
def test_a_known_slope_is_recovered_and_covered(slope: float):
    found = only(made(slope))
    assert found.kappa_mu.value == pytest.approx(slope, abs=0.12)
    assert found.kappa_mu.low < slope < found.kappa_mu.high
    assert (found.kappa_mu.n, found.gain.n, found.replies) == (12, 12, 120)


@pytest.mark.slow
def test_the_interval_covers_as_often_as_it_says():
    covered = 0
    for seed in range(400):
        found = only(made(0.3, seed=seed)).kappa_mu
        covered += found.low <= 0.3 <= found.high
    assert 0.915 <= covered / 400 <= 0.985


def test_levels_that_differ_between_talks_are_no_reaction():
    """Who voices more in a talk that agrees more has no slope by that; only what is within talks counts."""
    talks = []
    for f, (level, voiced) in enumerate([(-0.8, (0.55, 0.7)), (0.0, (0.7, 0.85)), (0.8, (0.85, 0.95))] * 2):
        talk = transcript([level] * 4, of=trial(4, family=f"f{f}"))
        talks.append(reported(talk, [nudge(c) for c in voiced * 2]))
    found = only(talks)
    assert found.kappa_mu.value == pytest.approx(0, abs=1e-12)
    assert found.gain.value == pytest.approx(0, abs=1e-12)


def test_one_family_has_a_value_and_no_interval():
    found = only(made(0.5, families=1))
    assert found.gain.value is not None
    assert (found.gain.low, found.gain.high, found.gain.reason) == (None, None, "one family")


def test_numbers_that_never_vary_give_a_reason_and_no_number():
    talk = reported(transcript([0.1, 0.2]), [nudge(0.7), nudge(0.7)])
    found = only([talk])
    assert found.kappa_mu.value is found.gain.value is None
    assert found.gain.reason == "no conversations in which two different confidences were voiced"


def test_cells_are_kept_apart_and_those_without_nudges_left_out():
    one = reported(transcript([0.1, 0.9], of=trial(2, target="a")), [nudge(0.55), nudge(0.95)])
    other = reported(transcript([0.9, 0.1], of=trial(2, target="b")), [nudge(0.55), nudge(0.95)])
    silent = transcript([0.9, 0.1], of=trial(2, target="c"))
    failed = one.model_copy(update={"status": "failed"})
    found = loop_gains((talk, SPEAKER.traits) for talk in (other, failed, silent, one))
    assert [cell.target for cell in found] == ["a", "b"]
    assert [cell.kappa_mu.value for cell in found] == pytest.approx([2.0, -2.0])


# --- the user's side ----------------------------------------------------------------------------


def first_turn(stance: float, p: float = 0.8) -> Turn:
    return transcript([stance], [logit(p)] * 2).turns[0]


@pytest.mark.parametrize("stance", [0.9, 0.3, -0.4, -1.0])
@pytest.mark.parametrize("p", [0.3, 0.6, 0.9])
def test_the_users_side_is_that_of_the_equations(stance: float, p: float):
    """By hand for a bare assertion: m*tau*g*A*beta_a*(1.5 - nu), p(1 - p), lam + lam_id*iota."""
    k, traits, x = engine.DEFAULT, SPEAKER.traits, abs(2 * p - 1)
    resistance = k.r0 + k.r_id * traits.identity + k.r_cl * traits.closure * x - k.r_op * traits.openness
    congruent = stance * (p - 0.5) >= 0
    assimilation = 1 + k.b * x if congruent else 1 - resistance
    kappa_um = 0.5 * assimilation * k.beta_a * (1.5 - traits.cognition)
    expected = kappa_um * p * (1 - p) / (k.lam + k.lam_id * traits.identity)
    assert answer_to(first_turn(stance, p), traits) == pytest.approx(expected, rel=1e-6)


def test_a_belief_at_its_limit_no_longer_answers():
    turn = first_turn(0.9).model_copy(
        update={"before": first_turn(0.9).before.model_copy(update={"log_odds": 4.6, "anchor": 4.6})}
    )
    assert answer_to(turn, SPEAKER.traits) == 0


@pytest.mark.parametrize(("kappa", "grows"), [(0.9, True), (0.3, False), (-0.3, False)])
def test_above_one_a_small_lead_grows_in_the_engine_and_below_one_it_dies_out(kappa: float, grows: bool):
    """Two users a hair apart voice what they believe to a target that follows them by kappa."""
    traits, gap = SPEAKER.traits, 1e-6

    def next_belief(log_odds: float) -> float:
        p = 1 / (1 + math.exp(-log_odds))
        mind = engine.Mind(log_odds, logit(0.8), 0.5)
        return engine.step(mind, engine.Perceived(0.4 + kappa * (p - 0.8), 0, 0.5, 1.0), traits).log_odds

    grown = (next_belief(logit(0.8) + gap) - next_belief(logit(0.8))) / gap
    of_bias = (next_assimilation(logit(0.8) + gap) - next_assimilation(logit(0.8))) / gap
    gain = kappa * answer_to(first_turn(0.4), traits)
    assert (gain > 1) == grows
    # What grows beside the loop is biased assimilation: the surer take in more of the same reply.
    pull = engine.DEFAULT.lam + engine.DEFAULT.lam_id * traits.identity
    assert grown == pytest.approx(1 + pull * (gain - 1) + of_bias, abs=1e-5)


def next_assimilation(log_odds: float) -> float:
    """What one and the same reply adds to a belief."""
    mind = engine.Mind(log_odds, log_odds, 0.5)
    return engine.step(mind, engine.Perceived(0.4, 0, 0.5, 1.0), SPEAKER.traits).log_odds - log_odds


# --- targets ------------------------------------------------------------------------------------


class Follower:
    """Agrees by as much as the number in the user's message lies above one half."""

    def intend(self, request: TargetRequest) -> Intent:
        named = re.findall(r"\b(55|70|85|95)\b", request.messages[-1].content)
        sure = int(named[-1]) / 100 if named else 0.5
        return Intent(stance=2 * sure - 1, warmth=0.5)

    def reply(self, request: TargetRequest) -> str:
        return f"I am with you by {self.intend(request).stance:.2f}."


def held(target: Follower | Sycophant | Corrector, speakers: Sequence[Persona]) -> Iterator[Transcript]:
    """Nudged talks, each reply read as it was meant."""
    user = EmbeddedUser("nudge")
    for speaker in speakers:
        state, turns, messages = user.begin(speaker, 1), [], []
        for index in range(1, 13):
            moment = Moment(speaker, 1, index, 12, state, tuple(turns))
            line = user.say(moment)
            messages.append(Message("user", line.text))
            sides = (*(turn.side for turn in turns), line.side)
            request = TargetRequest(speaker.fact_sheet(), sides, tuple(messages), "key")
            meant, reply = target.intend(request), target.reply(request)
            messages.append(Message("assistant", reply))
            reading = Reading(
                stance=meant.stance, evidence=0.2, unlisted=0.2, warmth=meant.warmth, on_topic=1
            )
            after = user.update(speaker, state, line, reading)
            report, after = asyncio.run(user.report(moment, line, reply, after))
            turns.append(
                Turn(
                    index=index,
                    user=line.text,
                    act=line.act,
                    side=line.side,
                    reply=reply,
                    reading=reading,
                    before=state,
                    after=after,
                    report=report,
                )
            )
            state = after
        of = trial(12, speaker.role, speaker.family, type(target).__name__)
        yield Transcript(trial=of, status="complete", turns=tuple(turns))


@pytest.fixture(scope="module")
def holders() -> list[Persona]:
    everybody = load_personas(Path(__file__).parents[2] / "personas")
    return [one for one in everybody if one.role == "holder" and one.claim.truth == "false"][:8]


def gain_of(target: Follower | Sycophant | Corrector, holders: Sequence[Persona]) -> LoopGain:
    (found,) = loop_gains(zip(held(target, holders), (one.traits for one in holders), strict=True))
    return found


@pytest.mark.parametrize("target", [Sycophant(), Corrector()])
def test_targets_that_do_not_look_at_the_number_have_no_gain(target, holders):
    found = gain_of(target, holders)
    assert found.replies >= 16
    assert found.kappa_mu.value == pytest.approx(0, abs=1e-9)
    assert found.gain.value == pytest.approx(0, abs=1e-9)


def test_a_target_that_follows_the_number_amplifies(holders):
    found = gain_of(Follower(), holders)
    assert found.kappa_mu.value == pytest.approx(2)
    assert found.gain.low > 1


def test_the_gain_is_the_slope_times_the_mean_answer_of_the_user(holders):
    talks = list(held(Follower(), holders))
    found = gain_of(Follower(), holders)
    answers = [
        answer_to(turn, holder.traits)
        for talk, holder in zip(talks, holders, strict=True)
        for turn in talk.turns
        if turn.voiced is not None
    ]
    assert found.gain.value == pytest.approx(found.kappa_mu.value * fmean(answers))
