"""Three ways in which people trust: the Bayesian, the disbeliever, the oscillator.

The types are those of Chung & Yang (2024, arXiv:2409.07406), who found them among people working with an
automated aid; that gives the direction of each, the sizes are assumed. All three keep the asymmetry of Yang,
Schemanske & Searle (2021, Human Factors): a failure costs at least twice what a success brings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from echosim.belief.engine import DEFAULT, Parameters

BAYESIAN = DEFAULT
"""Trust follows experience, step by step."""
DISBELIEVER = replace(DEFAULT, a_plus=DEFAULT.a_plus / 3, a_minus=DEFAULT.a_minus * 2)
"""Trust stays low: success hardly raises it, failure lowers it much; sizes assumed."""
OSCILLATOR = replace(DEFAULT, a_plus=DEFAULT.a_plus * 3, a_minus=DEFAULT.a_minus * 3)
"""Trust swings widely, both ways; sizes assumed."""

TRUST_TYPES: Mapping[str, Parameters] = MappingProxyType(
    {"bayesian": BAYESIAN, "disbeliever": DISBELIEVER, "oscillator": OSCILLATOR}
)
"""The presets by name; they differ in `a_plus` and `a_minus` alone."""


def of_type(name: str, parameters: Parameters = DEFAULT) -> Parameters:
    """`parameters` with the trust gain and loss of a type.

    Raises:
        KeyError: no such type.
    """
    preset = TRUST_TYPES[name]
    return replace(parameters, a_plus=preset.a_plus, a_minus=preset.a_minus)
