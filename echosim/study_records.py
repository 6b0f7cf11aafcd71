"""Study format 1 as frozen records. The only reader of the YAML is inputs/study.py."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from echosim.persona_records import Persona
from echosim.records import Bank, Record, Turn, Utterance

Positive = Annotated[int, Field(ge=1)]


class Price(Record):
    """Price in US dollars per million tokens, given by the user."""

    input: Annotated[float, Field(ge=0)]
    output: Annotated[float, Field(ge=0)]

    def of(self, prompt_tokens: int, completion_tokens: int) -> float:
        """US dollars for so many tokens sent and received."""
        return (prompt_tokens * self.input + completion_tokens * self.output) / 1e6


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
    def server(self) -> str:
        """What targets share room and rates by: the address they are at, or else their provider."""
        return self.api_base or self.model.partition("/")[0]

    @property
    def is_reference(self) -> bool:
        """True for the built-in targets, which cost nothing and need no network."""
        return self.model.startswith("echosim/")


class Recording(Record):
    """One stored conversation of a persona, as a `replay` user says it again."""

    persona: str
    seed: int
    said: Annotated[tuple[Utterance, ...], Field(min_length=1)]
    """The user's messages, one a turn."""
    frozen: tuple[Turn, ...] = ()
    """The first turns with the replies they got, given to every target as history."""


class ReplaySource(Record):
    """Which conversations of which run a `replay` user repeats."""

    of: Annotated[str, StringConstraints(min_length=1, max_length=1000)]
    """Run folder; relative to the study file as written, absolute once the study is loaded."""
    target: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = None
    """Label of the target there; None where that run has one only."""
    arm: Annotated[str, StringConstraints(min_length=1, max_length=100)] = "none"
    user: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = None
    """Label of the user engine there; None where that run has one only."""
    prefix: Annotated[int, Field(ge=0, le=999)] = 0
    """Turns whose replies are frozen, too: every target gets the same history."""


class UserSpec(Record):
    """One simulated user as the study names it."""

    engine: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    """Plugin name with options: `embedded`, `embedded("self_argue")`, `llm`, `replay`."""
    label: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    """Name on boards; the engine, and the model behind it, unless given."""
    model: TargetSpec | None = None
    """The model that words (`llm`) or decides (`free`)."""
    same_family: bool = False
    """Allow a model of a target's own family."""
    replay: ReplaySource | None = None
    recordings: tuple[Recording, ...] = ()
    """What `replay` found, by persona and seed; filled in when the run is begun."""

    @model_validator(mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        """A bare name is an engine under that name."""
        return {"engine": value, "label": value} if isinstance(value, str) else value


class Limits(Record):
    """What bounds a run. None means no bound."""

    in_flight: Annotated[int, Field(ge=1, le=1000)] = 32
    """Model calls under way at once, per endpoint (an api_base, or else a provider); fewer after a 429."""
    timeout: Annotated[float, Field(gt=0, le=3600)] = 120.0
    """Seconds for one attempt, whatever the server does."""
    turn_timeout: Annotated[float, Field(gt=0, le=86_400)] = 600.0
    """Seconds for one reply, from its first request on: all attempts, and the pauses between them."""
    trial_timeout: Annotated[float, Field(gt=0)] | None = None
    """Seconds for one conversation in one session; one that takes longer is `limited`, and resumed later."""
    rpm: Annotated[float, Field(gt=0)] | None = None
    """Requests a minute, per endpoint, evenly spaced."""
    tpm: Annotated[float, Field(gt=0)] | None = None
    """Tokens a minute, per endpoint, prompts and replies."""
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
    users: Annotated[tuple[UserSpec, ...], Field(min_length=1)] = (
        UserSpec(engine="embedded", label="embedded"),
    )
    turns: Annotated[int, Field(ge=1, le=1000)] = 12
    """Of one session."""
    sessions: Annotated[int, Field(ge=1, le=50)] = 1
    """Talks with the same user, with a gap between them."""
    memory: Literal["none", "summary"] = "none"
    """What the target knows of earlier sessions: nothing, or a summary of each."""
    seeds: Annotated[tuple[int, ...], Field(min_length=1)] = (1, 2, 3)
    population: Annotated[int, Field(ge=2, le=100_000)] | None = None
    """So many different people hold each claim: seed n is person n, with traits drawn from the population
    instead of the persona's own. Takes the place of `seeds`."""
    anchors: bool = True
    """Adds echosim/corrector and echosim/sycophant as rows."""
    bank: Bank = "dev"
    """Template bank of the reference targets; `test` is for validity only."""
    limits: Limits = Limits()

    @property
    def cells(self) -> tuple[tuple[TargetSpec, str], ...]:
        """Target x arm, targets in study order, anchors already among `targets`."""
        return tuple((target, arm) for target in self.targets for arm in self.arms)

    @property
    def everybody(self) -> tuple[int, ...]:
        """The seeds; of a population, one a person."""
        return self.seeds if self.population is None else tuple(range(1, self.population + 1))

    @property
    def recordings(self) -> dict[tuple[str, str, int], Recording]:
        """What `replay` users say again, by label of the user, persona and seed."""
        return {(user.label, one.persona, one.seed): one for user in self.users for one in user.recordings}

    @property
    def models(self) -> tuple[TargetSpec, ...]:
        """Everything that is called: targets, then the models behind users."""
        return (*self.targets, *(user.model for user in self.users if user.model is not None))
