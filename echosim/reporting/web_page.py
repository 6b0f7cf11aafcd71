"""What every HTML file shares: templates that escape, a policy that lets only own style and script work, a
file put in place whole.
"""

from __future__ import annotations

import base64
import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from echosim.reporting.counted import counted
from echosim.reporting.visible import visible

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"
_BARS = "".join(f".w{n}::before{{width:{n}%}}.p{n}::after{{left:{n}%}}" for n in range(101))
"""Lengths of belief bars: the policy allows no style but that of the sheet."""


def render(template: str, script: str, **data: Any) -> Iterator[bytes]:
    """A page in pieces.

    Args:
        template: name of its template.
        script: name of the script file that it carries.
        data: what the template shows; every text in it is escaped, `Markup` excepted.
    """
    from markupsafe import Markup

    style = (TEMPLATES / "report.css").read_text("utf-8") + _BARS
    code = (TEMPLATES / script).read_text("utf-8")
    pieces = (
        environment()
        .get_template(template)
        .generate(
            style=Markup(style),  # noqa: S704  our own file
            script=Markup(code),  # noqa: S704  our own file
            style_hash=_hash(style),
            script_hash=_hash(code),
            **data,
        )
    )
    return (piece.encode() for piece in pieces)


@cache
def environment() -> Environment:
    """Templates with autoescape; what is not defined is an error."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["counted"] = counted
    return made


def _shown(value: Any) -> Any:
    """Every text that enters a page passes here; markup of our own has a type of its own."""
    return visible(value, lines=True) if type(value) is str else value


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def replace(path: Path, pieces: Iterable[bytes]) -> None:
    """Write beside the file and put it in place in one step: a reader sees the old page or the new one."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as stream:
        try:
            for piece in pieces:
                stream.write(piece)
            stream.flush()
            os.fsync(stream.fileno())
            Path(stream.name).replace(path)
        except BaseException:
            Path(stream.name).unlink(missing_ok=True)
            raise
