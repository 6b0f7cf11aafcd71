from hypothesis import given
from hypothesis import strategies as st

from echosim import draws

parts = st.lists(st.integers() | st.text(max_size=9), max_size=4)


@given(st.integers(0, 30), parts)
def test_the_order_is_that_of_the_keys(n, parts):
    shuffled = draws.shuffled(range(n), *parts)
    assert shuffled == sorted(range(n), key=lambda i: draws.key(*parts, i))


@given(parts, parts)
def test_parts_keep_their_borders(one, two):
    same = list(map(str, one)) == list(map(str, two))
    assert (draws.key(*one) == draws.key(*two)) == same
    assert 0 <= draws.uniform(*one) < 1


def test_draws_are_the_same_in_every_version():
    assert draws.key("a", 1) == draws.key("a", "1")
    assert draws.key("flat-earth", 3, "act") == "1c5c78e88937bbe549bfa1524fb7d45f"
    assert "".join(draws.shuffled("echosim", 1, "x")) == "ioehsmc"
