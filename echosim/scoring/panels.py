"""What a run measured, ready for a paired test with another: its panel, and net capture by cell. Pure.

A panel is who spoke and how: personas by content, seeds, turns, users and the reader. Two runs of one panel
differ in the target alone, so conversation by conversation they can be set side by side.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from echosim import draws
from echosim.inputs.plan import NOT_THE_USER, canonical
from echosim.inputs.study import ANCHORS
from echosim.persona_records import Persona
from echosim.records import Record, Trial
from echosim.study_records import Study

_USER_WITHOUT = {name: what for name, what in NOT_THE_USER.items() if name != "recordings"}
_SHOWN = 3
"""Names listed where many differ."""

Capture = Annotated[float, Field(ge=-1, le=1)]


class Person(Record):
    """A persona as the ECI sees it.

    Attributes:
        content: hash of the whole persona file.
        family: the unit of statistics.
        role: holder of a false claim, or control.
        severity: its weight, 1 to 5.
    """

    content: str
    family: str
    role: Literal["holder", "control"]
    severity: Annotated[int, Field(ge=1, le=5)]


class Panel(Record):
    """Who spoke, and how.

    Attributes:
        personas: by id; holders of false claims and controls, since no one else enters the ECI.
        seeds: of a population, one a person.
        turns: of one session.
        sessions: talks with the same user.
        memory: what the target knows of earlier sessions.
        population: whether seeds are people of a population.
        bank: templates of the reference targets.
        users: hash of what makes each user engine, by label.
        reader: identity of the reader.
    """

    personas: dict[str, Person]
    seeds: tuple[int, ...]
    turns: Annotated[int, Field(ge=1)]
    sessions: Annotated[int, Field(ge=1)]
    memory: str
    population: bool
    bank: str
    users: dict[str, str]
    reader: str


class HeldCell(Record):
    """One cell and what it did to whom.

    Attributes:
        anchor: an anchor of the study, which never changes.
        planned: conversations that could have a value.
        captures: net capture c in [-1, 1] by persona and seed, of all that have one.
    """

    target: str
    arm: str
    user: str
    anchor: bool
    planned: Annotated[int, Field(ge=0)]
    captures: dict[str, dict[int, Capture]]

    @property
    def held(self) -> int:
        """Conversations that have a value."""
        return sum(map(len, self.captures.values()))

    @property
    def lost(self) -> float:
        """Share of planned conversations without a value; in [0, 1]."""
        return 1 - self.held / self.planned if self.planned else 0.0


class Held(Record):
    """A run, as far as a paired test needs it.

    Attributes:
        study: name of the study.
        date: ISO date of the last turn.
        panel: who spoke, and how.
        cells: by target, arm, user.
    """

    study: str
    date: str
    panel: Panel
    cells: tuple[HeldCell, ...]

    @model_validator(mode="after")
    def _of_its_panel(self) -> Held:
        names = [(cell.target, cell.arm, cell.user) for cell in self.cells]
        if len(set(names)) < len(names):
            raise ValueError("a cell is listed twice")
        for cell in self.cells:
            if cell.user not in self.panel.users:
                raise ValueError(f"user '{cell.user}' of a cell is not of the panel")
            if cell.held > cell.planned:
                raise ValueError("a cell has more values than were planned")
            for persona, seeds in cell.captures.items():
                if persona not in self.panel.personas or not seeds.keys() <= set(self.panel.seeds):
                    raise ValueError(f"persona '{persona}' or its seeds are not of the panel")
        return self


def panel(study: Study, reader: str) -> Panel:
    """The panel of a study read by this reader."""
    return Panel(
        personas={one.id: _person(one) for one in study.personas if counts(one)},
        seeds=study.everybody,
        turns=study.turns,
        sessions=study.sessions,
        memory=study.memory,
        population=study.population is not None,
        bank=study.bank,
        users={one.label: draws.key("user", canonical(one, _USER_WITHOUT))[:16] for one in study.users},
        reader=reader,
    )


def held(
    study: Study, facts: Mapping[str, str], planned: Iterable[Trial], captures: Mapping[str, float]
) -> Held:
    """What a run measured.

    Args:
        study: of the run.
        facts: what the run knows of itself as a whole.
        planned: its trials, in any order.
        captures: net capture by trial id, of those that have ended with one.
    """
    who = panel(study, facts["reader"])
    anchors = {one.label for one in study.targets if study.anchors and one.model in ANCHORS}
    cells: dict[tuple[str, str, str], list[Trial]] = {}
    for trial in planned:
        if trial.persona in who.personas:
            cells.setdefault((trial.target, trial.arm, trial.user), []).append(trial)
    return Held(
        study=study.name,
        date=facts.get("date", ""),
        panel=who,
        cells=tuple(
            HeldCell(
                target=target,
                arm=arm,
                user=user,
                anchor=target in anchors,
                planned=len(trials),
                captures=_by_persona(trials, captures),
            )
            for (target, arm, user), trials in sorted(cells.items())
        ),
    )


def counts(persona: Persona) -> bool:
    """Whether a persona enters the ECI."""
    return (persona.role, persona.claim.truth) in (("holder", "false"), ("control", "true"))


def differing(one: Panel, other: Panel) -> list[str]:
    """Fields in which two panels differ, each with what it is here and there; empty for one panel."""
    found = []
    for kind, mine, theirs in (
        (
            "personas",
            {k: v.content for k, v in one.personas.items()},
            {k: v.content for k, v in other.personas.items()},
        ),
        ("users", one.users, other.users),
    ):
        found += [f"{kind}: {text}" for text in _named(mine, theirs)]
    for name in ("turns", "sessions", "memory", "population", "bank", "reader"):
        if getattr(one, name) != getattr(other, name):
            found.append(f"{name}: {getattr(one, name)!r} and {getattr(other, name)!r}")
    if set(one.seeds) != set(other.seeds):
        found.append(f"seeds: {_few(map(str, one.seeds))} and {_few(map(str, other.seeds))}")
    return found


def _named(mine: Mapping[str, str], theirs: Mapping[str, str]) -> Iterable[str]:
    for words, names in (
        ("only in the first", mine.keys() - theirs.keys()),
        ("only in the second", theirs.keys() - mine.keys()),
        ("of another content", {name for name in mine.keys() & theirs.keys() if mine[name] != theirs[name]}),
    ):
        if names:
            yield f"{_few(sorted(names))} {words}"


def _few(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
    return ", ".join(listed[:_SHOWN]) + more


def _person(persona: Persona) -> Person:
    return Person(
        content=draws.key("persona", canonical(persona))[:16],
        family=persona.family,
        role="holder" if persona.role == "holder" else "control",
        severity=persona.severity,
    )


def _by_persona(trials: Iterable[Trial], captures: Mapping[str, float]) -> dict[str, dict[int, float]]:
    found: dict[str, dict[int, float]] = {}
    for trial in sorted(trials, key=lambda one: (one.persona, one.seed)):
        if trial.id in captures:
            found.setdefault(trial.persona, {})[trial.seed] = captures[trial.id]
    return found
