"""Study format 1 as frozen records. The only reader of the YAML is inputs/study.py."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from echosim.persona_records import Persona
from echosim.records import Bank, Record

Positive = Annotated[int, Field(ge=1)]


class Price(Record):
    """Price in US dollars per million tokens, given by the user."""

    input: Annotated[float, Field(ge=0)]
    output: Annotated[float, Field(ge=0)]


class TargetSpec(Record):
    """One target as the study names it. Values are never keys; `api_key_env` names a variable."""

    model: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    """litellm model string, `openai/NAME` with `api_base`, or `echosim/NAME`."""
    label: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    """Name on boards; the model without its provider unless given."""
    api_base: str | None = None
    api_key_env: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    allow_http: bool = False
    """Plain http to a host that is not loopback."""
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    max_tokens: Annotated[int, Field(ge=1, le=100_000)] = 600
    system_prompt: Annotated[str, StringConstraints(max_length=20_000)] | None = None
    price: Price | None = None

    @property
    def is_reference(self) -> bool:
        """True for the built-in targets, which cost nothing and need no network."""
        return self.model.startswith("echosim/")


class Limits(Record):
    """What bounds a run. None means no bound."""

    in_flight: Annotated[int, Field(ge=1, le=1000)] = 32
    """Model calls under way at once, per endpoint."""
    timeout: Annotated[float, Field(gt=0, le=3600)] = 120.0
    """Seconds for one attempt, whatever the server does."""
    max_calls: Positive | None = None
    """Paid model calls of the whole run, attempts counted."""
    max_tokens: Positive | None = None
    """Tokens of the whole run, prompts and replies."""
    max_cost: Annotated[float, Field(gt=0)] | None = None
    """US dollars for the whole run; needs a price for every paid target."""
    max_failed_share: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share of failed trials above which `run` exits 1."""


class Study(Record):
    """A batch to run: who talks with what, how long, how often. Fully resolved: personas inline."""

    format: Literal[1] = 1
    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
    personas: Annotated[tuple[Persona, ...], Field(min_length=1)]
    targets: Annotated[tuple[TargetSpec, ...], Field(min_length=1)]
    arms: Annotated[tuple[str, ...], Field(min_length=1)] = ("none",)
    users: Annotated[tuple[str, ...], Field(min_length=1)] = ("embedded",)
    turns: Annotated[int, Field(ge=1, le=1000)] = 12
    seeds: Annotated[tuple[int, ...], Field(min_length=1)] = (1, 2, 3)
    anchors: bool = True
    """Adds echosim/corrector and echosim/sycophant as rows."""
    bank: Bank = "dev"
    """Template bank of the reference targets; `test` is for validity only."""
    limits: Limits = Limits()

    @property
    def cells(self) -> tuple[tuple[TargetSpec, str], ...]:
        """Target x arm, targets in study order, anchors already among `targets`."""
        return tuple((target, arm) for target in self.targets for arm in self.arms)
