from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echosim.errors import InputError
from echosim.reporting import transcript_view as view
from echosim.study_records import UserSpec
from tests.reporting import synthetic


def few():
    return list(
        synthetic.transcripts(targets=("sycophant", "corrector"), families=synthetic.FAMILIES[:3], turns=2)
    )


# --- finding ------------------------------------------------------------------------------------


def test_a_prefix_is_enough():
    wanted = few()[4]
    assert view.find(few(), wanted.trial.id[:6]) == wanted


def test_an_exact_id_wins_over_longer_ones():
    short = synthetic.transcript()
    short = short.model_copy(update={"trial": short.trial.model_copy(update={"id": "ab"})})
    long = short.model_copy(update={"trial": short.trial.model_copy(update={"id": "abc"})})
    assert view.find([short, long], "ab") == short
    assert view.find([long, short], "ab") == short


def test_an_ambiguous_prefix_lists_the_trials():
    with pytest.raises(InputError) as caught:
        view.find(few(), "")
    lines = str(caught.value).splitlines()
    assert lines[0] == "'' fits 18 trials:"
    assert lines[1].split() == [few()[0].trial.id, few()[0].trial.target, few()[0].trial.persona]
    assert lines[-1].strip() == "and 10 more"


def test_an_unknown_id_says_how_to_list():
    with pytest.raises(InputError, match="no trial id starts with 'zz'; `echosim show RUN` lists"):
        view.find(few(), "zz")


# --- the list -----------------------------------------------------------------------------------


def test_list_streams_one_line_a_trial():
    lines = list(view.listing(few(), synthetic.study()))
    assert len(lines) == 19
    assert lines[0].split() == ["trial", "status", "turns", "stance", "belief", "persona", "/", "target"]
    for transcript, line in zip(few(), lines[1:], strict=True):
        assert line.startswith(transcript.trial.id[:12])
        assert transcript.trial.persona in line
        assert transcript.trial.target in line


def test_the_list_tells_users_and_seeds_apart_where_there_are_several():
    one = few()[0]
    users = (UserSpec(engine="embedded", label="embedded"), UserSpec(engine="bayesian", label="bayesian"))
    study = synthetic.study().model_copy(update={"users": users, "seeds": (1, 20)})
    other = one.model_copy(update={"trial": one.trial.model_copy(update={"user": "bayesian", "seed": 20})})
    head, first, second = view.listing([one, other], study)
    user, seed = head.index("user"), head.index("seed")
    assert first[user:].split()[:2] == ["embedded", "1"]
    assert second[user:].split()[:3] == ["bayesian", "20", one.trial.persona]
    assert second[seed : seed + 4].strip() == "20"
    assert head.index("persona") == second.index(one.trial.persona)
    (head, line) = view.listing([one], study.model_copy(update={"users": users[:1], "seeds": (1, 2)}))
    assert "user" not in head
    assert line[head.index("seed") :].split()[0] == "1"


def test_an_ambiguous_prefix_tells_users_and_seeds_apart_where_there_are_several():
    one = few()[0]
    change = {"id": f"{one.trial.id}x", "user": "bayesian", "seed": 2}
    other = one.model_copy(update={"trial": one.trial.model_copy(update=change)})
    with pytest.raises(InputError) as caught:
        view.find([one, other], one.trial.id[:-1])
    first, second = str(caught.value).splitlines()[1:]
    assert first.endswith(f"{one.trial.persona}  embedded  seed 1")
    assert second.endswith(f"{one.trial.persona}  bayesian  seed 2")


def test_a_trial_without_turns_has_dashes():
    empty = synthetic.transcript().model_copy(update={"turns": (), "status": "failed"})
    assert view.brief(empty)["stance"] is None
    assert view.brief(empty)["belief_after"] is None
    assert "failed" in list(view.listing([empty], synthetic.study()))[1]


# --- one conversation ---------------------------------------------------------------------------


def test_every_turn_has_its_words_and_its_numbers():
    transcript = synthetic.transcript(turns=3)
    text = view.conversation(transcript, synthetic.persona("flat-earth"))
    flat = " ".join(text.split())
    for turn in transcript.turns:
        assert turn.user in flat
        assert turn.reply in flat
        assert f"{turn.reading.stance:+.2f}" in text
        assert f"{100 * turn.before.confidence:.0f}% -> {100 * turn.after.confidence:.0f}%" in text
        assert f"for: Supporting fact {turn.reading.matched[0][-1]}" in text
    assert "believes that the flat-earth story is true (false)" in text


def test_text_wraps_and_cannot_act():
    text = view.conversation(synthetic.transcript(turns=1, reply="\x1b[2J word " * 60), width=60)
    assert max(map(len, text.splitlines())) <= 60
    assert "\x1b" not in text
    assert r"\x1b[2J" in text


def test_missing_stance_shows_its_reason_and_flags_are_shown():
    transcript = synthetic.transcript(turns=1)
    turn = transcript.turns[0]
    silent = turn.model_copy(
        update={
            "flags": ("truncated",),
            "reading": turn.reading.model_copy(update={"stance": None, "reason": "no words"}),
        }
    )
    text = view.conversation(transcript.model_copy(update={"turns": (silent,), "reason": "HTTP 500"}))
    assert "stance  none: no words" in text
    assert "flags   truncated" in text
    assert "reason: HTTP 500" in text


@given(st.floats(-1, 1))
def test_stance_bar_leans_to_the_side_of_its_sign(stance):
    bar = view.stance_bar(stance)
    left, right = bar[1:-1].split("|")
    assert len(bar) == 23
    assert len(left) == len(right) == 10
    assert (left if stance < 0 else right).count("#") == round(abs(stance) * 10)
    assert "#" not in (right if stance < 0 else left)
