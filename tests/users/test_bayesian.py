import asyncio
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echosim import registry
from echosim.errors import PluginError
from echosim.protocols import Moment
from echosim.records import BeliefState, Reading, Turn, Utterance
from echosim.users import acts
from echosim.users.bayesian import BARE, NAME, BayesianUser

NAIVE = BayesianUser()
INFORMED = BayesianUser("informed", 0.3)
STEP = math.log(0.6 / 0.4)
HOLDS = Utterance(text="It is so.", act="state", side=1)
ASKS = Utterance(text="Is it so?", act="ask", side=0)
LET_GO = Utterance(text="It is not so.", act="concede", side=-1)


def reading(stance, points=(), unlisted=0.0, warmth=0.4, on_topic=1.0):
    load = min(1.0, len(points) / 3 + unlisted)
    return Reading(
        stance=stance, evidence=load, warmth=warmth, on_topic=on_topic, matched=points, unlisted=unlisted
    )


def mind(log_odds=1.0, **changes):
    return BeliefState(log_odds=log_odds, anchor=log_odds, trust=0.6, **changes)


def moved(user, persona, state, said, *readings):
    for one in readings:
        state = user.update(persona, state, said, one)
    return state


readings = st.builds(
    reading,
    st.floats(-1, 1),
    st.lists(st.sampled_from(["tank-study", "temperature", "counts", "skin"]), max_size=3, unique=True).map(
        tuple
    ),
    st.floats(0, 1),
    st.floats(0, 1),
    st.floats(0, 1),
)


# --- belief -------------------------------------------------------------------------------------


def test_holder_and_mirror_start_alike_and_near_the_personas_confidence(persona, mirror):
    starts = [NAIVE.begin(persona, seed) for seed in range(100)]
    assert starts == [NAIVE.begin(mirror, seed) for seed in range(100)]
    assert sum(state.log_odds for state in starts) / 100 == pytest.approx(math.log(4), abs=0.1)
    assert len({state.log_odds for state in starts}) == 100
    assert {state.trust for state in starts} == {persona.traits.trust}


def test_each_new_point_is_one_datum_for_the_side_of_the_stance(persona):
    points = ("counts", "tank-study")
    after = moved(NAIVE, persona, mind(), HOLDS, reading(-0.5, points, on_topic=0.8))
    assert after.log_odds == pytest.approx(1.0 - 0.5 * 0.8 * 2 * STEP)
    assert after.heard == points
    assert (after.n_plus, after.n_minus, after.stance_prev) == (0, 1, -0.5)
    up = moved(NAIVE, persona, mind(), HOLDS, reading(1.0, ("skin",), unlisted=1 / 3))
    assert up.log_odds == pytest.approx(1.0 + 2 * STEP)


def test_a_point_counts_once(persona):
    once = moved(NAIVE, persona, mind(), HOLDS, reading(-1, ("counts",)))
    twice = moved(NAIVE, persona, once, HOLDS, reading(-1, ("counts",)))
    assert twice.log_odds == once.log_odds
    assert twice.n_minus == 2


def test_a_bare_assertion_is_a_weak_datum_once_a_side(persona):
    said = [moved(NAIVE, persona, mind(), HOLDS, *[reading(-1)] * n).log_odds for n in range(4)]
    assert said[1] == pytest.approx(1.0 - BARE * STEP)
    assert said[1] == said[2] == said[3]
    back = moved(NAIVE, persona, mind(), HOLDS, reading(-1), reading(1), reading(1))
    assert back.log_odds == pytest.approx(1.0)


@given(first=readings, warm=st.floats(0, 1), trust=st.floats(0, 1))
def test_warmth_trust_and_traits_do_not_enter(persona, first, warm, trust):
    stubborn = persona.model_copy(
        update={"traits": persona.traits.model_copy(update={"openness": 0.0, "identity": 1.0})}
    )
    state = mind()
    other = state.model_copy(update={"trust": trust})
    a = NAIVE.update(persona, state, HOLDS, first)
    b = NAIVE.update(stubborn, other, HOLDS, first.model_copy(update={"warmth": warm}))
    assert a.log_odds == b.log_odds
    assert (a.trust, b.trust) == (0.6, trust)


@given(st.lists(readings, min_size=2, max_size=6))
def test_a_naive_user_does_not_mind_the_order_of_independent_data(persona, heard):
    """Statements that are no listed point are new each time; the first word on a side is left out."""
    heard = [one.model_copy(update={"matched": ()}) for one in heard]
    state = mind(n_plus=1, n_minus=1)
    forward = moved(NAIVE, persona, state, HOLDS, *heard)
    backward = moved(NAIVE, persona, state, HOLDS, *reversed(heard))
    assert forward.log_odds == pytest.approx(backward.log_odds)


def test_an_informed_user_discounts_agreement_with_what_it_asserted(persona):
    def step(user, said, stance, log_odds=1.0):
        return moved(user, persona, mind(log_odds), said, reading(stance, ("counts",))).log_odds - log_odds

    discounted = math.log((0.7 * 0.6 + 0.3) / (0.7 * 0.4 + 0.3))
    assert step(INFORMED, HOLDS, 1) == pytest.approx(discounted)
    assert step(INFORMED, HOLDS, -1) == pytest.approx(-STEP)
    assert step(INFORMED, LET_GO, -1) == pytest.approx(-discounted)
    assert step(INFORMED, LET_GO, 1) == pytest.approx(STEP)
    assert step(INFORMED, ASKS, 1) == pytest.approx(discounted)  # leans to the claim
    assert step(INFORMED, ASKS, 1, log_odds=-1.0) == pytest.approx(STEP)
    assert step(NAIVE, HOLDS, 1) == step(NAIVE, LET_GO, 1) == pytest.approx(STEP)


# --- words --------------------------------------------------------------------------------------


def past(index, before, after, stance, act="state", side=1):
    return Turn(
        index=index,
        user="As I see it, it is so.",
        act=act,
        side=side,
        reply="The records of the harbour say something else about it.",
        reading=reading(stance),
        before=mind(math.log(before / (1 - before))),
        after=mind(math.log(after / (1 - after))),
    )


def said_and_due(persona, history, p, seeds=400):
    """(what was said, what `acts` alone would have done) over seeds, at confidence p."""
    pairs = []
    for seed in range(seeds):
        moment = Moment(persona, seed, len(history) + 1, 12, mind(math.log(p / (1 - p))), history)
        pairs.append((asyncio.run(NAIVE.speak(moment)), acts.choose(moment, NAME)))
    return pairs


@pytest.mark.parametrize("p", [0.55, 0.75, 0.95])
def test_of_the_opinions_due_as_many_are_voiced_as_the_user_believes(persona, p):
    due = [said for said, move in said_and_due(persona, (past(1, p, p, 0.8),), p) if move.side == 1]
    assert len(due) > 200
    assert {said.act for said in due if said.side != 1} <= {"doubt"}
    spread = math.sqrt(p * (1 - p) / len(due))
    assert sum(said.side == 1 for said in due) / len(due) == pytest.approx(p, abs=4 * spread)


def test_a_new_session_opens_as_acts_has_it(persona):
    history = (past(1, 0.6, 0.6, 0.8),)
    for seed in range(40):
        moment = Moment(persona, seed, 2, 4, mind(0.4), history, session_turns=1)
        said, move = asyncio.run(NAIVE.speak(moment)), acts.choose(moment, NAME)
        assert (said.act, said.side) == (move.act, move.side) == ("state", 1)


def test_questions_stay_questions(persona):
    asked = [
        said for said, move in said_and_due(persona, (past(1, 0.8, 0.8, 0.8),), 0.8) if move.act == "ask"
    ]
    assert asked
    assert {said.act for said in asked} == {"ask"}


def test_a_concession_that_is_due_is_voiced_as_often_as_the_claim_is_disbelieved(persona):
    history = (past(1, 0.8, 0.7, -0.8), past(2, 0.7, 0.5, -0.8), past(3, 0.5, 0.3, -0.8))
    acts_said = [said.act for said, move in said_and_due(persona, history, 0.3) if move.act == "concede"]
    assert set(acts_said) == {"concede", "state"}
    assert acts_said.count("concede") / len(acts_said) == pytest.approx(0.7, abs=0.1)


def test_who_had_given_up_returns_or_stays_by_the_posterior(persona):
    given_up = (past(1, 0.8, 0.3, -0.8), past(2, 0.3, 0.3, 0.8, act="concede", side=-1))
    higher = [said.side for said, _ in said_and_due(persona, given_up, 0.7)]
    assert set(higher) == {1, -1}
    assert higher.count(1) / len(higher) == pytest.approx(0.7, abs=0.1)


@given(
    steps=st.lists(st.tuples(st.floats(-1, 1), st.floats(0, 1)), min_size=1, max_size=10),
    seed=st.integers(0, 1000),
)
def test_nobody_concedes_a_belief_that_has_not_fallen(persona, talk, steps, seed):
    turns = talk(NAIVE, persona, [reading(s, unlisted=u) for s, u in steps], seed=seed)
    for place, turn in enumerate(turns):
        assert (turn.side == -1) == (turn.act == "concede")
        if turn.act == "concede" and not acts.has_given_up(turns[:place]):
            assert acts.may_concede(turn.before.confidence, turns[:place])


def test_naive_and_informed_say_the_same_while_they_believe_the_same(persona):
    history = (past(1, 0.8, 0.75, -0.8),)
    for seed in range(50):
        moment = Moment(persona, seed, 2, 12, mind(), history)
        assert asyncio.run(NAIVE.speak(moment)) == asyncio.run(INFORMED.speak(moment))
        assert NAIVE.begin(persona, seed) == INFORMED.begin(persona, seed)


def test_agreement_moves_a_warned_user_less(persona, talk):
    agreed = [reading(0.9, unlisted=0.3)] * 6
    ends = [
        talk(registry.load("user", name), persona, agreed)[-1].after.log_odds
        for name in ("bayesian", 'bayesian("informed", 0.3)', 'bayesian("informed", 0.9)')
    ]
    assert ends == sorted(ends, reverse=True)
    assert len(set(ends)) == 3


@pytest.mark.parametrize(
    "options",
    ['"warned"', '"informed"', '"informed", 0', '"informed", 1', '"informed", "much"', '"naive", 0.2', "0.3"],
)
def test_options_that_make_no_sense_are_refused_in_one_line(options):
    with pytest.raises(PluginError, match="bayesian") as refusal:
        registry.load("user", f"bayesian({options})")
    assert "\n" not in str(refusal.value)
    assert "informed" in str(refusal.value)
