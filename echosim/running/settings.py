"""What each trial of a study is held with: its people and plugins, loaded once a process."""

from __future__ import annotations

from collections.abc import Mapping

from echosim import registry
from echosim.belief import population
from echosim.inputs.plan import target_key
from echosim.persona_records import Persona
from echosim.protocols import Arm, Monitor, Reader, User
from echosim.records import Trial
from echosim.running.conversation import Setting
from echosim.study_records import Study, TargetSpec, UserSpec


class Settings:
    """The settings of a study's trials.

    Args:
        study: the resolved study.
        reader: how the users read replies.

    Raises:
        PluginError: a user, arm or monitor cannot be loaded.
    """

    def __init__(self, study: Study, reader: Reader) -> None:
        self._study = study
        self._reader = reader
        self._personas: Mapping[str, Persona] = {persona.id: persona for persona in study.personas}
        self._targets: Mapping[str, TargetSpec] = {target.label: target for target in study.targets}
        self._specs: Mapping[str, UserSpec] = {spec.label: spec for spec in study.users}
        self._users: Mapping[str, User] = {
            spec.label: registry.load("user", spec.engine) for spec in study.users
        }
        self._recordings = study.recordings
        self._arms: Mapping[str, Arm] = {name: registry.load("arm", name) for name in study.arms}
        self._monitors: Mapping[str, tuple[Monitor, ...]] = {
            name: tuple(registry.load("monitor", monitor) for monitor in arm.monitors)
            for name, arm in self._arms.items()
        }

    def of(self, trial: Trial) -> Setting:
        """All that this trial is held with."""
        target, persona = self._targets[trial.target], self._personas[trial.persona]
        user, person = self._specs[trial.user], None
        if self._study.population is not None:
            traits = population.person(persona.family, trial.seed)
            person = persona.model_copy(update={"traits": traits})
        return Setting(
            persona=persona,
            target=target,
            user=self._users[trial.user],
            system_prompt=self._arms[trial.arm].system_prompt,
            monitors=self._monitors[trial.arm],
            reader=self._reader,
            bank=self._study.bank,
            key=target_key(trial.seed, trial.persona, user.engine, target.model),
            voice=user.model,
            recording=self._recordings.get((trial.user, trial.persona, trial.seed)),
            remembers=self._study.memory == "summary",
            person=person,
            timeout=self._study.limits.trial_timeout,
        )
