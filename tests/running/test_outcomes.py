from types import SimpleNamespace as Thing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echosim.running.outcomes import MAX_DETAIL, MAX_REPLY, clean, from_answer, from_error, redact

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.fixed_dictionaries(
            {},
            optional=dict.fromkeys(
                ("choices", "message", "content", "finish_reason", "usage", "model"), inner
            ),
        ).map(lambda fields: Thing(**fields))
    ),
    max_leaves=12,
)


@given(anything)
def test_no_shape_of_answer_breaks_the_typing(answer):
    attempt = from_answer(answer)
    assert bool(attempt.text) == (attempt.outcome in ("ok", "truncated"))
    assert attempt.detail or attempt.text


@given(st.text(st.characters(), max_size=50) | st.text(st.characters(categories=("Cs", "Lu")), max_size=20))
def test_clean_text_can_be_stored_and_clean_twice_changes_nothing(text):
    cleaned, flags = clean(text)
    cleaned.encode("utf-8")
    assert "\0" not in cleaned
    assert (cleaned != text) == bool(flags)
    assert clean(cleaned) == (cleaned, ())


def test_a_pair_of_halves_is_one_character():
    assert clean("\ud83d\ude00") == ("\U0001f600", ("cleaned",))
    assert clean("x" * (MAX_REPLY + 1)) == ("x" * MAX_REPLY, ("cut",))


@pytest.mark.parametrize(
    "secret",
    [
        "sk-proj-abcdef123456",
        "sk-ant-api03-abcdef",
        "AIzaSyA1234567890abcdef",
        "Bearer abc.def.ghi",
        "hf_abcdefghijkl",
        "gsk_abcdefghijkl",
        "xai-abcdefghijkl",
    ],
)
def test_keys_are_blotted_out(secret):
    assert secret not in redact(f"wrong key '{secret}', see there")
    assert secret.split()[-1] not in redact(f"wrong key {secret}")


@given(st.text(max_size=400))
def test_a_detail_is_one_short_printable_line(text):
    line = redact(text, ["secret-value"])
    assert line.isprintable()
    assert len(line) <= MAX_DETAIL
    assert "secret-value" not in redact(text + "secret-value", ["secret-value"])


def test_an_error_nobody_knows_is_fatal_and_has_no_text():
    attempt = from_error(RuntimeError("something else"))
    assert (attempt.outcome, attempt.text, attempt.detail) == ("fatal", "", "RuntimeError: something else")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("0.5", 0.5), ("-1", None), ("inf", None), ("soon", None), (None, None)],
)
def test_retry_after_is_a_number_of_seconds(header, seconds):
    error = RuntimeError("slow down")
    error.status_code = 429
    error.response = Thing(headers={} if header is None else {"retry-after": header})
    attempt = from_error(error)
    assert (attempt.outcome, attempt.retry_after) == ("transient", seconds)


def test_addresses_in_memory_are_left_out():
    said = "Cannot connect to host h:1 ssl:<ssl.SSLContext object at 0x7f1a> [refused]"
    assert redact(said) == "Cannot connect to host h:1 [refused]"


@pytest.mark.parametrize(
    ("status", "words", "outcome", "seconds", "quota"),
    [
        (429, "You exceeded your current quota, see billing", "fatal", None, True),
        (429, "insufficient_quota. Please retry in 5s", "fatal", None, True),
        # Google's words for a quota per minute:
        (429, "exceeded your current quota. Please retry in 27.5s.", "transient", 27.5, False),
        (429, 'exceeded your current quota {"retryDelay": "12s"}', "transient", 12.0, False),
        (429, "Rate limit reached. Please try again in 20s.", "transient", 20.0, False),
        (429, "Please try again in 6m0s.", "transient", None, False),
        (503, "overloaded, retry in 3 s", "transient", 3.0, False),
    ],
)
def test_a_quota_is_spent_or_comes_again(status, words, outcome, seconds, quota):
    error = RuntimeError(words)
    error.status_code = status
    attempt = from_error(error)
    assert (attempt.outcome, attempt.retry_after, attempt.out_of_quota) == (outcome, seconds, quota)
    assert attempt.throttled == (status == 429 and not quota)
    assert attempt.stops_target == quota


@pytest.mark.parametrize("mark", ["\ufeff", "\u202e", "\u2066", "\0"])
def test_marks_that_nobody_sees_are_taken_out(mark):
    assert clean(f"{mark}a{mark}b") == ("ab", ("cleaned",))
    # These belong to the spelling of words.
    assert clean("\u200f\u05d0\u200d") == ("\u200f\u05d0\u200d", ())
