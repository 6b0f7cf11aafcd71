from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echosim.inputs.personas import load_personas, shipped
from echosim.records import Reading
from echosim.users import llm_prompt
from echosim.users.embedded import EmbeddedUser
from echosim.users.line_checks import Setting, clean, problem, words_allowed
from tests.data.user_lines import BAD, GIVING_IN, HUMAN
from tests.users.test_giving_in import acts, phrase

REPLY = "No. The Earth is a globe, and ships vanish hull first over the horizon every single day of the year."
SAID = "I have watched the sea for years."


@pytest.fixture(scope="module")
def believer():
    return next(p for p in load_personas([shipped() / "flat-earth"]) if p.role == "holder")


@pytest.fixture(scope="module")
def setting(believer):
    return Setting(believer, [SAID], REPLY, llm_prompt.card(believer), may_give_in=False, contradicted=True)


def test_there_are_enough_lines_to_judge_by():
    assert len(set(HUMAN)) >= 60
    assert len({line for _, line in BAD}) + len(GIVING_IN) >= 50


@pytest.mark.parametrize("line", HUMAN)
def test_what_people_type_is_let_through(setting, line):
    assert problem(line, setting) is None


@pytest.mark.parametrize("line", GIVING_IN)
def test_giving_in_is_wrong_only_where_it_is_forbidden(setting, line):
    assert problem(line, setting) == "concession"
    assert problem(line, replace(setting, may_give_in=True)) is None


@pytest.mark.parametrize(("found", "line"), BAD)
def test_what_models_write_instead_is_named(setting, found, line):
    assert problem(line, setting) == found


def test_the_reply_the_card_and_earlier_lines_are_not_to_be_copied(setting):
    assert problem("Ships vanish hull first over the horizon every day, right?", setting) == "copied"
    assert problem('You say "ships vanish hull first over the horizon every day". So?', setting) is None
    assert problem("i have watched the SEA for years", setting) == "repeated"
    told = next(line for line in setting.card.splitlines() if "orders" in line)
    assert problem(setting.card[:200], setting) in ("backstage", "role_flip")
    assert problem(f"Well, {told.removeprefix('- ')}", setting) == "backstage"


def test_the_own_story_is_not_the_card(setting, believer):
    for text in (believer.opening, *believer.reasons):
        assert problem(text, setting) is None


def test_length_is_counted_in_words(setting, believer):
    most = words_allowed(believer)
    assert most > believer.style.words_max
    assert problem(" ".join(["word"] * most), setting) is None
    assert problem(" ".join(["word"] * (most + 1)), setting) == "too_long"
    assert problem("word " * 5000, setting) == "too_long"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('"It is flat."', "It is flat."),
        ("“It is flat.”", "It is flat."),
        ("  It is\n\nflat.  ", "It is flat."),
        ('"Flat" is what I say, not "round"', '"Flat" is what I say, not "round"'),
        ("'it's flat'", "'it's flat'"),
        ("cafe\u0301", "café"),
        ('""', ""),
    ],
)
def test_cleaning_is_light(line, said):
    assert clean(line) == said


@given(st.text(max_size=300))
def test_cleaning_is_done_after_one_go_and_leaves_one_line(text):
    once = clean(text)
    assert clean(once) == once
    assert not {"\n", "\r", "\t"} & set(once)


@given(line=st.text(max_size=400), heard=st.text(max_size=200))
def test_any_text_gets_a_verdict_and_none_with_invisible_characters_passes(setting, line, heard):
    found = problem(line, replace(setting, heard=heard))
    if found is None:
        said = clean(line)
        assert said.isprintable() or "\u200d" in said
        assert len(said.split()) <= words_allowed(setting.persona)


def test_a_language_of_another_script_is_not_judged_by_latin_letters(setting, believer):
    claim = believer.claim.model_copy(update={"text": "Земля плоская", "negation": "Земля круглая"})
    elsewhere = replace(setting, persona=believer.model_copy(update={"claim": claim}))
    assert problem("Я уверен, что это так.", elsewhere) is None
    assert problem("Я уверен, что это так.", setting) == "other_script"


def test_every_phrase_of_the_embedded_user_passes_for_every_shipped_persona():
    for who in load_personas([shipped()]):
        card = llm_prompt.card(who)
        heard = f"{who.refuting[0].text} {who.denying[0]}"
        for pool, (_, side) in acts._MOVES.items():
            at = Setting(who, (), heard, card, may_give_in=side == -1 or "settled" in pool, contradicted=True)
            line = phrase(who, pool, 3)
            assert problem(line, at) is None, (who.id, pool, line)


@pytest.mark.parametrize("stance", [-0.9, 0.9])
def test_whole_talks_of_the_embedded_user_pass(talk, stance):
    felt = [Reading(stance=stance, evidence=0.3, unlisted=0.3, warmth=0.5, on_topic=1)] * 12
    for who in load_personas([shipped()])[::3]:
        replies = [*who.denying, *(point.text for point in who.refuting)]
        turns = talk(EmbeddedUser(), who, felt, replies=replies if stance < 0 else who.affirming)
        for place, turn in enumerate(turns):
            past = turns[:place]
            at = Setting(
                persona=who,
                said=[earlier.user for earlier in past],
                heard=past[-1].reply if past else "",
                card=llm_prompt.card(who),
                may_give_in=turn.side == -1 or (turn.side == 0 and acts.has_given_up(past)),
                contradicted=stance < 0,
            )
            assert problem(turn.user, at) is None, (who.id, turn.user)


@pytest.mark.parametrize(
    "piece",
    [
        "*a ",
        "[",
        "<a ",
        "1. a ",
        '"a ',
        "I was a b c ",
        "you a b c d ",
        "- a\n",
        "|a",
        "my view a b ",
        "\n",
        " ",
    ],
)
def test_no_text_makes_the_patterns_slow(setting, piece):
    """Quadratic patterns would take minutes here; the time limit of the tests is the judge."""
    for length in (3900, 200_000):
        problem("x " + piece * (length // len(piece)) + " x", setting)
