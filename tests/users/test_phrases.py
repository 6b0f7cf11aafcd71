import re
from typing import get_args

import pytest

from echosim.users import phrases
from echosim.users.acts import Pool, Reaction

PHRASES = phrases.load()
SAID = get_args(Pool)
ADDED = (*get_args(Reaction), "feeling", "tail", "number")
TONES = ("casual", "plain", "formal")


@pytest.mark.parametrize("tone", TONES)
@pytest.mark.parametrize("pool", [*SAID, *ADDED])
def test_every_pool_has_twelve_different_phrases_for_every_tone(pool, tone):
    texts = [phrase.text for phrase in PHRASES.pools[pool, tone]]
    assert len(texts) >= 12
    assert len(set(texts)) == len(texts)


def test_the_file_holds_no_other_pools():
    assert {pool for pool, _ in PHRASES.pools} == {*SAID, *ADDED}


def test_phrases_are_plain_finished_sentences_without_markup_or_roles():
    for phrase in {phrase for pool in PHRASES.pools.values() for phrase in pool}:
        assert re.search(r"[.?!,\"]$|\{opening\}$|\{reason\}$", phrase.text), phrase.text
        assert not re.search(r"[*#`_<>|\[\]]|^\s*[-\d]+[.)]?\s|\n", phrase.text), phrase.text
        assert not re.search(r"\b(holder|mirror|control|simulat|persona|test|AI)\b", phrase.text), phrase.text


def test_only_reactions_quote_and_all_of_them_do():
    for (pool, _), options in PHRASES.pools.items():
        for phrase in options:
            assert ("quote" in phrase.slots) == pool.startswith("react_"), phrase.text


def test_reasons_are_given_in_the_act_that_counts_them_alone():
    for (pool, _), options in PHRASES.pools.items():
        voiced = ["reason" in phrase.slots for phrase in options]
        if pool == "reason":
            assert all(voiced)
        elif pool != "opening":
            assert not any(voiced)


def test_what_takes_no_side_does_not_assert_the_claim():
    for pool in ("ask", "ask_settled", "doubt", "change_topic", "reopen_unsure"):
        for tone in TONES:
            for phrase in PHRASES.pools[pool, tone]:
                assert "Claim" not in phrase.slots
                assert "sure" not in phrase.slots


def test_every_pool_that_takes_the_side_can_speak_without_naming_confidence():
    for pool in ("reason", "contradicted", "repeat", "authority", "emotion", "social", "reproach", "reopen"):
        for tone in TONES:
            assert sum("sure" not in phrase.slots for phrase in PHRASES.pools[pool, tone]) >= 8


def test_only_numbers_name_a_percentage_and_all_of_them_do():
    for (pool, _), options in PHRASES.pools.items():
        for phrase in options:
            assert ("percent" in phrase.slots) == (pool == "number"), phrase.text


def test_what_names_a_number_has_no_other_word_on_how_sure_it_is():
    """Else the number would not be all that differs between two nudges."""
    degree = r"\b(very|quite|fairly|really|completely|hardly|certain|only|already|still|even|just|more|not)\b"
    for tone in TONES:
        for phrase in PHRASES.pools["number", tone]:
            assert phrase.slots == ("percent",)
            assert not re.search(degree, phrase.text), phrase.text


def test_a_value_with_braces_stays_data():
    phrase = phrases.parse("{claim} and {topic}")
    assert phrase.fill({"claim": "{topic}", "topic": "{claim}"}) == "{topic} and {claim}"
    assert phrase.words == 1


def test_an_unknown_slot_is_refused():
    with pytest.raises(ValueError, match="unknown slot"):
        phrases.parse("I think that {clam}.")


def test_confidence_words_get_weaker_with_confidence_and_never_overlap():
    steps = [PHRASES.confidence_words(p) for p in (0.99, 0.85, 0.7, 0.55, 0.4, 0.1)]
    assert len(set(steps)) == 6
    everything = [word for options in steps for word in options]
    assert len(set(everything)) == len(everything)
    assert PHRASES.confidence_words(0.0) == steps[-1]
    assert PHRASES.confidence_words(1.0) == steps[0]
