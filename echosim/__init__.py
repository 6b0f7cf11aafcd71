"""echosim: how much does a conversation with a model cement a false belief?

    >>> import echosim as es
    >>> run = es.run("quickstart", "runs/first")      # doctest: +SKIP
    >>> print(es.leaderboard(run))                    # doctest: +SKIP

Everything heavy (torch, litellm, langgraph, matplotlib) is imported on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from echosim.api import (
        Run as Run,
    )
    from echosim.api import (
        arun as arun,
    )
    from echosim.api import (
        compare as compare,
    )
    from echosim.api import (
        gate as gate,
    )
    from echosim.api import (
        leaderboard as leaderboard,
    )
    from echosim.api import (
        load_persona as load_persona,
    )
    from echosim.api import (
        load_personas as load_personas,
    )
    from echosim.api import (
        load_study as load_study,
    )
    from echosim.api import (
        loop_gain as loop_gain,
    )
    from echosim.api import (
        open_run as open_run,
    )
    from echosim.api import (
        plan as plan,
    )
    from echosim.api import (
        power as power,
    )
    from echosim.api import (
        read_stance as read_stance,
    )
    from echosim.api import (
        report as report,
    )
    from echosim.api import (
        run as run,
    )
    from echosim.api import (
        score as score,
    )
    from echosim.api import (
        write_baseline as write_baseline,
    )

__version__ = "0.1.0"
__all__ = [
    "Run",
    "__version__",
    "arun",
    "compare",
    "gate",
    "leaderboard",
    "load_persona",
    "load_personas",
    "load_study",
    "loop_gain",
    "open_run",
    "plan",
    "power",
    "read_stance",
    "report",
    "run",
    "score",
    "write_baseline",
]


def __dir__() -> list[str]:
    return sorted(__all__)


def __getattr__(name: str) -> Any:
    if name in __all__:
        from echosim import api

        return getattr(api, name)
    raise AttributeError(f"module 'echosim' has no attribute '{name}'")
