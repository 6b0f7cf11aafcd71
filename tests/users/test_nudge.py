"""What users tell of their belief: reports, and confidences that they voice because they were drawn."""

import asyncio
import re
from collections import Counter
from pathlib import Path
from statistics import fmean, stdev

import pytest

from echosim import registry
from echosim.errors import PluginError
from echosim.inputs.personas import load_personas
from echosim.protocols import Moment, Reporter
from echosim.records import Reading, Utterance
from echosim.users.embedded import VOICED, EmbeddedUser
from echosim.users.replay import ReplayUser

PLAIN, NUDGED, NOISY = EmbeddedUser(), EmbeddedUser("nudge"), EmbeddedUser("human_noise")
MIXED = [
    Reading(stance=stance, evidence=0.3, unlisted=0.3, warmth=0.4, on_topic=1.0)
    for stance in (-0.9, 0.9, 0.1, -0.6, 0.8, -0.9, 0.0, -0.7, 0.9, 0.9, 0.4, -0.2)
]


@pytest.fixture(scope="module")
def shipped():
    return load_personas(Path(__file__).parents[2] / "personas")


def moments(persona, turns, seed=1):
    """The moment at which each finished turn was spoken."""
    return [
        Moment(persona, seed, turn.index, len(turns), turn.before, tuple(turns[: turn.index - 1]))
        for turn in turns
    ]


def said(user, persona, turns, seed=1):
    return [user.say(moment) for moment in moments(persona, turns, seed)]


def told(user, moment, utterance, state):
    report, after = asyncio.run(user.report(moment, utterance, "Words.", state))
    assert after == state
    return report


# --- reports --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["embedded", 'embedded("human_noise", "nudge")', "bayesian", "replay"])
def test_being_asked_changes_no_mind(name, persona):
    user = registry.load("user", name)
    assert isinstance(user, Reporter)
    state = PLAIN.begin(persona, 1)
    line = Utterance(text="It is so.", act="state", side=1)
    report = told(user, Moment(persona, 1, 2, 8, state, ()), line, state)
    assert report == told(user, Moment(persona, 1, 2, 8, state, ()), line, state)
    if "noise" not in name:
        assert report.private == report.public == state.confidence


def test_noise_belongs_to_person_seed_and_turn_and_is_three_points_wide(persona):
    state = PLAIN.begin(persona, 1)
    line = Utterance(text="It is so.", act="state", side=1)
    errors = [
        told(NOISY, Moment(persona, seed, turn, 99, state, ()), line, state).private - state.confidence
        for seed in range(20)
        for turn in range(1, 100)
    ]
    assert len(set(errors)) == len(errors)
    assert fmean(errors) == pytest.approx(0, abs=0.003)
    assert stdev(errors) == pytest.approx(0.03, rel=0.05)


def test_noise_changes_no_word_and_no_mind(persona, talk):
    assert talk(NOISY, persona, MIXED) == talk(PLAIN, persona, MIXED)


# --- nudges ---------------------------------------------------------------------------------------


def test_a_number_is_voiced_from_the_second_turn_on_wherever_the_claims_side_is_taken(persona, talk):
    for seed in range(10):
        for line, turn in zip(
            said(NUDGED, persona, talk(PLAIN, persona, MIXED, seed=seed), seed),
            talk(PLAIN, persona, MIXED, seed=seed),
            strict=True,
        ):
            assert (line.voiced is not None) == (turn.index > 1 and turn.side == 1)
            if line.voiced is not None:
                assert f"{round(100 * line.voiced)}" in re.findall(r"\d+", line.text)
            else:
                assert line.text == turn.user


def test_it_is_the_same_person_who_does_the_same(persona, talk):
    plain, nudged = talk(PLAIN, persona, MIXED), talk(NUDGED, persona, MIXED)
    assert [(turn.act, turn.side, turn.after) for turn in plain] == [
        (turn.act, turn.side, turn.after) for turn in nudged
    ]
    assert NUDGED.begin(persona, 7) == PLAIN.begin(persona, 7)


def test_levels_are_equally_frequent_and_independent_of_belief(persona, talk):
    sure = persona.model_copy(update={"claim": persona.claim.model_copy(update={"confidence": 0.9})})
    numbers = {
        who.claim.confidence: [
            line.voiced
            for seed in range(100)
            for line in said(NUDGED, who, talk(PLAIN, who, MIXED, seed=seed), seed)
            if line.voiced is not None
        ]
        for who in (persona, sure)
    }
    counts = Counter(numbers[persona.claim.confidence])
    total = sum(counts.values())
    assert set(counts) == set(VOICED)
    assert all(count / total == pytest.approx(0.25, abs=0.05) for count in counts.values())
    # The same draws whatever is believed: only what the belief does to the acts may differ.
    state, other = PLAIN.begin(persona, 3), PLAIN.begin(sure, 3)
    turns = talk(PLAIN, persona, MIXED[:1], seed=3)
    assert (
        NUDGED.say(Moment(persona, 3, 2, 8, state, tuple(turns))).voiced
        == NUDGED.say(Moment(sure, 3, 2, 8, other, tuple(turns))).voiced
    )


def test_what_surrounds_the_number_does_not_depend_on_it(persona, talk, monkeypatch):
    turns = talk(PLAIN, persona, MIXED)

    def lines(level):
        monkeypatch.setattr("echosim.users.embedded.VOICED", (level,))
        return [line.text.replace(str(round(100 * level)), "#") for line in said(NUDGED, persona, turns)]

    assert lines(0.55) == lines(0.95)


def test_numbers_are_put_in_words_that_vary_and_do_not_name_the_belief(shipped, talk):
    belief = re.compile(r"\b(certain|completely sure|very sure|fairly sure|half sure|far from sure)\b", re.I)
    sentences = Counter()
    for persona in shipped:
        turns = talk(PLAIN, persona, MIXED, replies=persona.denying)
        for line in said(NUDGED, persona, turns):
            assert len(line.text.split()) <= persona.style.words_max
            if line.voiced is None:
                continue
            number = str(round(100 * line.voiced))
            assert line.text.count(number) >= 1
            assert not belief.search(line.text.replace(persona.claim.text, "")), line.text
            sentences[re.search(rf"[^.!?]*\b{number}\b[^.!?]*", line.text).group().replace(number, "#")] += 1
    assert len(sentences) >= 12
    assert max(sentences.values()) < 0.2 * sentences.total()


def test_no_number_sentence_returns_within_twelve_turns(persona, talk):
    lines = said(NUDGED, persona, talk(PLAIN, persona, MIXED))
    spoken = [
        re.search(r"[^.!?]*\b(55|70|85|95)\b[^.!?]*", line.text).group() for line in lines if line.voiced
    ]
    without = [re.sub(r"\d+", "#", sentence) for sentence in spoken]
    assert len(set(without)) == len(without) >= 4


def test_the_talk_shows_the_voiced_number_and_the_private_answer_stays(persona, talk):
    turns = talk(PLAIN, persona, MIXED)
    for moment, turn in zip(moments(persona, turns), turns, strict=True):
        line = NUDGED.say(moment)
        report = told(NUDGED, moment, line, turn.after)
        assert report.private == turn.after.confidence
        assert report.voiced == (line.voiced is not None)
        if line.voiced is not None:
            assert report.public == line.voiced


def test_a_replay_takes_its_numbers_from_the_recording():
    with pytest.raises(PluginError, match=r'record it with embedded\("nudge"\)'):
        registry.load("user", 'replay("nudge")')
    assert isinstance(ReplayUser("human_noise"), Reporter)
