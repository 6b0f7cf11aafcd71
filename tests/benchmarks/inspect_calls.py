"""The same conversations by Inspect AI; run by a Python that has it, not by this project's own."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from inspect_ai import Task  # type: ignore[import-not-found]
from inspect_ai import eval as evaluate  # type: ignore[import-not-found]
from inspect_ai.dataset import Sample  # type: ignore[import-not-found]
from inspect_ai.model import ChatMessageUser, get_model  # type: ignore[import-not-found]
from inspect_ai.solver import solver  # type: ignore[import-not-found]


@solver  # type: ignore[untyped-decorator]
def talk() -> Any:
    """Says the lines of a sample, with full history."""

    async def solve(state: Any, generate: Any) -> Any:
        state.messages = []
        for line in state.metadata["lines"]:
            state.messages.append(ChatMessageUser(content=line))
            state = await generate(state)
        return state

    return solve


def hold(base: str, said: list[list[str]], in_flight: int) -> None:
    """All conversations; its log is written, its display is off."""
    model = get_model("openai/tiny", base_url=base, api_key="none", responses_api=False)
    samples = [Sample(input=lines[0], metadata={"lines": lines}) for lines in said]
    done = evaluate(
        Task(dataset=samples, solver=talk()),
        model=model,
        max_connections=in_flight,
        max_samples=2 * in_flight,
        max_tokens=600,
        display="none",
    )
    assert done[0].status == "success", done[0].error


if __name__ == "__main__":
    where, path, number = sys.argv[1:]
    lines = json.loads(Path(path).read_text())
    hold(where, [one[:1] for one in lines[:32]], int(number))
    cpu, wall = time.process_time(), time.perf_counter()
    hold(where, lines, int(number))
    print(time.process_time() - cpu, time.perf_counter() - wall)
