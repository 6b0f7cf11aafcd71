"""Conversations leave the machine for their targets only: tracing that the shell asks for is switched off."""

from __future__ import annotations

import logging
import os

ASKED_FOR = "ECHOSIM_TRACING"
"""Set to 1, it leaves the variables below as they are."""
SWITCHES = ("LANGSMITH_TRACING", "LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING", "LANGCHAIN_TRACING_V2")


def keep_private() -> None:
    """Switch LangSmith's tracing off before langgraph and litellm are imported; says so where it was on."""
    if os.environ.get(ASKED_FOR) == "1":
        return
    on = [name for name in SWITCHES if os.environ.get(name, "").lower() not in ("", "0", "false")]
    for name in SWITCHES:
        os.environ[name] = "false"
    if on:
        logging.getLogger("echosim").warning(
            "%s is set and ignored: conversations go to their targets only; %s=1 allows tracing",
            on[0],
            ASKED_FOR,
        )
