import pytest

from echosim.checks import spirals

SEED = 1


def test_the_shares_are_those_computed_for_the_published_model():
    """Computed apart, on 20,000 runs: standard errors up to .0035 there and .005 here."""
    hallucinating = (0.006, 0.027, 0.081, 0.243, 0.364, 0.440, 0.502)
    factual = (0.006, 0.011, 0.018, 0.041, 0.081, 0.115, 0.152)
    for dose, invents, chooses in zip(spirals.DOSES, hallucinating, factual, strict=True):
        assert spirals.share(dose, False, SEED) == pytest.approx(invents, abs=0.018)
        assert spirals.share(dose, True, SEED) == pytest.approx(chooses, abs=0.013)


def test_an_honest_bot_keeps_to_villes_inequality():
    assert 0 < spirals.share(0.0, False, SEED) <= 1 / 99
    assert spirals.share(0.0, False, SEED) == spirals.share(0.0, True, SEED)


def test_rise_and_gap_are_the_smallest_of_their_kind(monkeypatch):
    shares = {
        (dose, factual): dose * (0.5 if factual else 1.0) for dose in spirals.DOSES for factual in (0, 1)
    }
    shares[0.6, 1] = 0.21  # rises by .01 from .2, and lies .39 under .6
    monkeypatch.setattr(spirals, "share", lambda dose, factual, seed: shares[dose, factual])
    assert spirals.smallest_rise(SEED) == pytest.approx(0.01)
    assert spirals.smallest_gap(SEED) == pytest.approx(0.05)  # at dose .1


def test_runs_end_on_either_side_and_hardly_between():
    assert spirals.in_between(SEED) < -0.3
