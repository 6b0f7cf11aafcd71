"""Where every error ends: one line on stderr and the exit code of its kind, never a traceback unasked."""

from __future__ import annotations

import contextlib
import sys
import traceback
from typing import Any

import typer
from typer.core import TyperGroup

from echosim.cli.output import say, stdout_is_closed
from echosim.errors import EchosimError, InputError
from echosim.inputs.secret_text import without_secrets

_INTERNAL = 1
_STORAGE = 4
INTERRUPTED = 130


class Commands(TyperGroup):
    """The verbs, inside the one place that turns errors into messages and exit codes."""

    def invoke(self, ctx: Any) -> Any:
        """Run the verb that was asked for."""
        _spell_out_what_a_terminal_lacks()
        try:
            result = super().invoke(ctx)
            if sys.stdout is not None:  # it was closed before the start
                sys.stdout.flush()
        except BrokenPipeError:
            stdout_is_closed()
            raise typer.Exit(0) from None
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
        except EchosimError as error:
            raise _told(error, _lines(error), error.exit_code, ctx) from None
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            raise _told(error, f"error: {where}{error.strerror or error}", _STORAGE, ctx) from None
        except Exception as error:
            if isinstance(error, typer.Abort) or hasattr(error, "exit_code"):
                raise  # the parser's own: usage errors and exits
            line = f"error: internal: {type(error).__name__}: {error}; `echosim --debug ...` shows where"
            raise _told(error, line, _INTERNAL, ctx) from None
        return result


def _told(error: Exception, text: str, code: int, ctx: Any) -> typer.Exit:
    if ctx.params.get("debug"):
        say(without_secrets("".join(traceback.format_exception(error)).rstrip()))
    say(without_secrets(text))
    return typer.Exit(code)


def _lines(error: EchosimError) -> str:
    """Faults stand alone, so that editors can jump to `file:line`; everything else is marked as an error.

    One fault of a whole file, as that there is none, has no line to jump to.
    """
    faults = error.faults if isinstance(error, InputError) else ()
    if len(faults) > 1 or any(fault.line is not None for fault in faults):
        from echosim.inputs.validation import summarise

        return summarise(faults)
    return f"error: {error}"


def _spell_out_what_a_terminal_lacks() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
