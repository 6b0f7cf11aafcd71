"""Room for open files: each call under way is a connection, and a process may open so many and no more."""

from __future__ import annotations

import importlib
from typing import Any

from echosim.errors import InputError
from echosim.study_records import Study

ALWAYS = 128
"""Files that a run has open without any call: the store, the encoder, libraries, and some to spare."""


def make_room(study: Study) -> None:
    """Let this process open as many files as the study's calls need, if the system allows it.

    Raises:
        InputError: it does not; with what to lower or raise.
    """
    servers = {model.server for model in study.models if not model.is_reference}
    needed = ALWAYS + len(servers) * study.limits.in_flight
    limits = _limits()
    if limits is None:
        return
    now, most = limits.getrlimit(limits.RLIMIT_NOFILE)
    if now == limits.RLIM_INFINITY or now >= needed:
        return
    if most != limits.RLIM_INFINITY and most < needed:
        raise InputError(
            f"limits.in_flight: {study.limits.in_flight:,} calls at once to each of {len(servers):,} servers "
            f"need about {needed:,} open files, and this process may have {most:,}; lower in_flight or raise "
            f"the limit with `ulimit -n {needed}`"
        )
    limits.setrlimit(limits.RLIMIT_NOFILE, (needed, most))


def _limits() -> Any:
    """The system's limits, or None where there is no such thing."""
    try:
        return importlib.import_module("resource")
    except ImportError:
        return None
