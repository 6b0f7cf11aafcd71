"""What is left of a conversation when the user comes back another day.

    l_anchor' = l' = l_anchor + r_keep*(l_T - l_anchor)

What is kept is the belief that the next talk starts from and the one it is pulled back to; the rest of the
change is gone. Between sessions nobody talks, so trust, counts and what was heard stay.
"""

from __future__ import annotations

from typing import Literal

from echosim.records import BeliefState

FACTUAL = 1.0
"""r_keep of claims that are true or false: no decay over two months (Costello, Pennycook & Rand 2024,
Science 385)."""
CONTESTED = 0.4
"""r_keep of contested claims: 36 to 42% of the effect was left after a month (Hackenburg et al. 2025,
arXiv:2507.13919)."""


def kept(truth: Literal["true", "false", "contested"]) -> float:
    """r_keep of a claim of this truth."""
    return CONTESTED if truth == "contested" else FACTUAL


def between_sessions(state: BeliefState, r_keep: float) -> BeliefState:
    """The mind at the start of the next session.

    Args:
        state: at the end of the session before.
        r_keep: share of the change of log-odds that lasts, in [0, 1]; `kept` gives that of a claim.

    Returns:
        The state with the new belief and anchor, which lie between the old ones; at r_keep 1 belief is
        unchanged to the last bit, at 0 it is the old anchor.

    Raises:
        ValueError: r_keep is outside [0, 1].
    """
    if not 0 <= r_keep <= 1:
        raise ValueError(f"r_keep must be a share from 0 to 1, not {r_keep!r}")
    change = state.log_odds - state.anchor
    # Counted from the nearer end, so that neither 0 nor 1 leaves a rounding error.
    rest = state.anchor + r_keep * change if r_keep < 0.5 else state.log_odds - (1 - r_keep) * change
    return state.model_copy(update={"log_odds": rest, "anchor": rest})
