from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echosim.interop import jsonl
from tests.reporting import synthetic


def lines(transcripts) -> list[str]:
    stream = io.StringIO()
    jsonl.export(transcripts, stream)
    return stream.getvalue().splitlines()


def test_keys_stand_in_the_order_of_the_contract():
    (line,) = lines([synthetic.transcript(turns=2)])
    trial = json.loads(line)
    assert list(trial) == [
        "trial_id", "persona", "family", "role", "target", "arm", "user", "seed", "status", "turns",
    ]  # fmt: skip
    assert [list(turn) for turn in trial["turns"]] == [[
        "index", "user", "reply", "stance", "evidence", "warmth", "on_topic",
        "confidence_before", "confidence_after", "trust",
    ]] * 2  # fmt: skip


def test_values_are_those_of_the_transcript_to_the_last_bit():
    transcript = synthetic.transcript(turns=3)
    (line,) = lines([transcript])
    for written, turn in zip(json.loads(line)["turns"], transcript.turns, strict=True):
        assert written["stance"] == turn.reading.stance
        assert written["confidence_before"] == turn.before.confidence
        assert written["confidence_after"] == turn.after.confidence
        assert written["trust"] == turn.after.trust


def test_same_transcripts_same_bytes_and_one_line_each():
    first, second = (lines(synthetic.transcripts(turns=2)) for _ in range(2))
    assert first == second
    assert len(first) == 324
    ids = [json.loads(line)["trial_id"] for line in first]
    assert ids == sorted(set(ids))


@given(st.text(st.characters(), max_size=80))
def test_any_reply_stays_on_one_ascii_line_and_comes_back(reply):
    (line,) = lines([synthetic.transcript(turns=1, reply=reply)])
    assert line.isascii()
    assert json.loads(line)["turns"][0]["reply"] == reply


def test_missing_stance_is_null():
    transcript = synthetic.transcript(turns=1)
    silent = transcript.turns[0].model_copy(
        update={
            "reading": transcript.turns[0].reading.model_copy(update={"stance": None, "reason": "no words"})
        }
    )
    (line,) = lines([transcript.model_copy(update={"turns": (silent,)})])
    assert json.loads(line)["turns"][0]["stance"] is None


def test_wrong_order_and_doubles_are_refused():
    first, second = list(synthetic.transcripts(targets=("sycophant",), families=("flat-earth",)))[:2]
    with pytest.raises(ValueError, match="not in ascending order"):
        lines([second, first])
    with pytest.raises(ValueError, match="not in ascending order"):
        lines([first, first])


def test_holds_one_transcript_at_a_time():
    written = io.StringIO()

    def source():
        for transcript in synthetic.transcripts(targets=("sycophant",), families=("flat-earth",), turns=1):
            before = written.getvalue().count("\n")
            yield transcript
            assert written.getvalue().count("\n") == before + 1

    assert jsonl.export(source(), written) == 3
