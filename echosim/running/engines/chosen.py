"""Which engine a run gets, by name: `local` in this process, `ray` in others."""

from __future__ import annotations

from echosim.errors import InputError
from echosim.running.batch import Engine, here

ENGINES = ("local", "ray")


def chosen(
    name: str,
    encoder: str | None,
    workers: int | None = None,
    concurrency: int | None = None,
    ray_address: str | None = None,
) -> Engine:
    """The engine of this name; loads nothing heavy.

    Args:
        name: one of `ENGINES`.
        encoder: for workers elsewhere; None for the default.
        workers: processes, 1 or more; None for one a CPU of the cluster.
        concurrency: conversations alive at once on one of them, 1 or more; None for no bound of its own.
        ray_address: of a cluster that is there; None for one on this machine.

    Raises:
        InputError: no such engine, Ray is not installed, or an option that the engine does not have.
    """
    if name not in ENGINES:
        raise InputError(f"engine '{name}': allowed: {', '.join(ENGINES)}")
    counts = {"workers": workers, "concurrency": concurrency}
    for option, value in counts.items():
        if value is not None and value < 1:
            raise InputError(f"{option}: {value}; allowed: 1 or more")
    if name == "ray":
        from echosim.running.engines.ray import RayEngine

        return RayEngine(encoder, workers, concurrency, ray_address)
    for option, given in {**counts, "ray_address": ray_address}.items():
        if given is not None:
            raise InputError(f"{option}: only engine ray has that; add engine='ray' (--engine ray)")
    return here
