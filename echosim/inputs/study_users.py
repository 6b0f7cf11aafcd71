"""The `users` of a study file: by name, or as a mapping with the model or the run behind them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from echosim import registry
from echosim.errors import Fault, PluginError
from echosim.inputs import endpoints
from echosim.inputs.document import Document, MapNode, Step, shown
from echosim.inputs.fields import file_record, limits, of
from echosim.inputs.model_family import family
from echosim.inputs.persona_set import RUN_FILE
from echosim.inputs.secret_text import masked
from echosim.study_records import ReplaySource, TargetSpec, UserSpec

_MODEL = ["api_base", "api_key_env", "allow_http", "temperature", "top_p", "max_tokens", "price"]
"""Fields of a model that a user's mapping takes over."""
_REPLAY = list(ReplaySource.model_fields)
_LONGEST_LABEL = limits(of(TargetSpec)["label"]).max_length or 0
_BEHIND = "user "
"""Before a user's label, the name of its model in logs and budgets: no target may begin with it."""

_ModelFile: Any = file_record("_ModelFile", TargetSpec, _MODEL)
UserFile: Any = file_record(
    "UserFile",
    _ModelFile,
    _MODEL,
    engine=(of(UserSpec)["engine"], ...),
    label=(of(UserSpec)["label"] | None, None),
    model=(of(TargetSpec)["model"] | None, None),
    same_family=(bool, False),
    of=(of(ReplaySource)["of"] | None, None),
    target=(of(ReplaySource)["target"], None),
    arm=(of(ReplaySource)["arm"], "none"),
    user=(of(ReplaySource)["user"], None),
    prefix=(of(ReplaySource)["prefix"], 0),
)
"""A user as written; which fields have an effect depends on the engine."""
ENTRY: Any = Annotated[str, Field(min_length=1, max_length=200)] | UserFile


def user(entry: str | dict[str, Any], folder: Path) -> UserSpec:
    """The user that a valid entry means; a run that it names is looked up from the study's folder."""
    if isinstance(entry, str):
        return UserSpec(engine=entry, label=entry)
    label = _label(entry["engine"], entry["label"], entry["model"])
    model = replay = None
    if entry["model"] is not None:
        model = TargetSpec(
            model=entry["model"], label=f"{_BEHIND}{label}"[:_LONGEST_LABEL], **{k: entry[k] for k in _MODEL}
        )
    if entry["of"] is not None:
        values = {name: entry[name] for name in _REPLAY}
        replay = ReplaySource(**values | {"of": str((folder / entry["of"]).resolve())})
    return UserSpec(
        engine=entry["engine"], label=label, model=model, same_family=entry["same_family"], replay=replay
    )


def faults(document: Document) -> Iterator[Fault]:
    """What is wrong with the users: engines, what they need, labels, kinship with targets."""
    first: dict[str, int | None] = {}
    for index in range(document.length("users")):
        steps: tuple[Step, ...] = ("users", index)
        written = isinstance(document.at(*steps), MapNode)
        engine = document.text(*steps, "engine") if written else document.text(*steps)
        if not engine:
            continue
        place = (*steps, "engine") if written else steps
        message = _cut_at_a_comma(engine) or endpoints.plugin_fault("user", engine)
        if message:
            yield document.fault(place, message)
            continue
        yield from _needs(document, steps, place, engine, written)
        model = document.text(*steps, "model") if written else None
        if model:
            yield from _kinship(document, steps, model)
        label = _label(engine, document.text(*steps, "label") if written else None, model)
        if label in first:
            name = shown(masked(label))
            yield document.fault(
                steps, f"user '{name}' is already on line {first[label]}; give it another label"
            )
        first.setdefault(label, document.place(*steps)[0])


def _cut_at_a_comma(engine: str) -> str | None:
    """A [list] in YAML ends an item at each comma that is not in quotes."""
    if engine.count("(") == engine.count(")"):
        return None
    return (
        f"'{shown(masked(engine))}' is half a name: in a [list], quote a user with several options, as in "
        "'bayesian(\"informed\", 0.3)', or write one user a line"
    )


def _label(engine: str, label: str | None, model: str | None) -> str:
    name = f"{engine} {endpoints.default_label(model)}" if model else engine
    return (label or name)[:_LONGEST_LABEL]


def _needs(
    document: Document, steps: tuple[Step, ...], place: tuple[Step, ...], engine: str, written: bool
) -> Iterator[Fault]:
    """A missing field, or one without effect: that would be a silent default."""
    try:
        needs = getattr(registry.load("user", engine), "needs", None)
    except PluginError as error:
        yield document.fault(place, shown(masked(str(error)), 400))
        return
    name = shown(masked(engine))
    if needs == "model":
        if not written or not document.is_set(*steps, "model"):
            example = f"{{engine: {name}, model: openai/gpt-4o-mini}}"
            yield document.fault(place, f"user '{name}' needs a model; write {example}")
        else:
            yield from _model(document, (*steps, "model"))
    if needs == "recording" and not (written and document.is_set(*steps, "of")):
        yield document.fault(
            place, f"user '{name}' needs a run to repeat; write {{engine: {name}, of: runs/first}}"
        )
    elif needs == "recording":
        run = Path(document.path).parent / (document.text(*steps, "of") or "")
        if not (run / RUN_FILE).is_file():
            yield document.fault((*steps, "of"), "no run there (paths are relative to the study)")
    idle = ([] if needs == "model" else ["model", "same_family", *_MODEL]) + (
        [] if needs == "recording" else _REPLAY
    )
    for field in idle if written else ():
        if document.is_set(*steps, field):
            yield document.fault((*steps, field), f"has no effect on the user engine '{name}'; remove it")


def _model(document: Document, place: tuple[Step, ...]) -> Iterator[Fault]:
    steps, model = place[:-1], document.text(*place) or ""
    if model.startswith(endpoints.REFERENCE):
        yield document.fault(place, "an echosim/ target answers a user and cannot be one; name another model")
    elif message := endpoints.model_fault(model):
        yield document.fault(place, message)
    if document.is_set("limits", "max_cost") and not document.is_set(*steps, "price"):
        name = shown(masked(model))
        yield document.fault(place, f"price of '{name}' unknown; give price: or drop max_cost")
    base = document.text(*steps, "api_base")
    if base and document.is_set(*steps, "api_base"):
        allow_http = document.text(*steps, "allow_http") == "true"
        if message := endpoints.api_base_fault(base, allow_http=allow_http):
            yield document.fault((*steps, "api_base"), message)


def _kinship(document: Document, steps: tuple[Step, ...], model: str) -> Iterator[Fault]:
    if document.text(*steps, "same_family") == "true" or model.startswith(endpoints.REFERENCE):
        return
    for index in range(document.length("targets")):
        target = document.text("targets", index, "model") or document.text("targets", index)
        if target and not target.startswith(endpoints.REFERENCE) and family(target) == family(model):
            line = document.place("targets", index)[0]
            yield document.fault(
                (*steps, "model"),
                f"is of the same family ({shown(masked(family(model)))}) as the target on line {line}; kin "
                "agree too easily, so take another model, or set same_family: true",
            )
            return
