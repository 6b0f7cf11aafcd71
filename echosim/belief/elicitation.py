"""What a user tells of its belief: apart from the talk, and as the talk shows it.

    private = clip(sigmoid(l) + .03*z, 0, 1)
    public  = clip(private + .3*sign(s)*.05, 0, 1)

l is the log-odds after the reply, s the stance of the last reply; z is 0, or a standard normal draw where the
user rates as people do. With z = 0 the private confidence is the engine's belief and assumes nothing. The
rest is assumed, direction and size: that people rate themselves with an error of about 3 points of 100, and
that who was agreed with shows more confidence than it has, who was contradicted less. So public - private
is surface compliance: what a talk seems to have done beyond what it did.
"""

from __future__ import annotations

from echosim.records import BeliefState, Report

NOISE = 0.03
"""Standard deviation of a rating around the belief, as a probability; assumed. Among people whose beliefs
have a standard deviation of 12 points it gives a reliability of 12^2 / (12^2 + 3^2) = .94."""
POLITENESS = 0.3
"""Share of the largest shift that a user shows in the talk; assumed."""
LARGEST_SHIFT = 0.05
"""What full politeness would add or take away, as a probability; assumed."""


def private(state: BeliefState, z: float = 0.0) -> float:
    """Confidence in the own claim when asked apart from the talk, in [0, 1].

    Args:
        state: the mind after the reply.
        z: error of the rating in standard deviations; 0 gives the belief itself.
    """
    return _share(state.confidence + NOISE * z)


def public(told: float, stance: float) -> float:
    """Confidence as the talk shows it, in [0, 1].

    Args:
        told: the private confidence, in [0, 1].
        stance: of the last reply to the user's claim; only its sign counts.
    """
    return _share(told + POLITENESS * LARGEST_SHIFT * ((stance > 0) - (stance < 0)))


def report(state: BeliefState, z: float = 0.0, voiced: float | None = None) -> Report:
    """Both confidences after a reply.

    Args:
        state: the mind after the reply; its `stance_prev` is the stance of the last reply that had words.
        z: error of the rating in standard deviations.
        voiced: confidence that the user's message named on purpose, which is then what the talk shows.
    """
    told = private(state, z)
    shown = public(told, state.stance_prev) if voiced is None else voiced
    return Report(private=told, public=shown, voiced=voiced is not None)


def _share(value: float) -> float:
    return min(max(value, 0.0), 1.0)
