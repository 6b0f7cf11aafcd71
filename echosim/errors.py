"""What can go wrong, as a tree: one root, one leaf a cause.

    EchosimError
    |- InputError            a file, study or command line is wrong            exit 2
    |  |- PersonaError       a persona file; carries every fault of it
    |  `- StudyError         a study file; likewise
    |- PluginError           unknown, registered twice, or failed to load      exit 2
    |- EncoderError          the encoder is missing, tampered with or broken   exit 2
    |- LimitReachedError     a budget or a limit stopped the run               exit 3
    |- StorageError          disc, lock, foreign or newer run folder           exit 4
    `- ScoringError          a metric broke its own contract

Messages are meant to be shown: what is wrong, where, and what is allowed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class EchosimError(Exception):
    """Root of everything that echosim raises on purpose."""

    exit_code = 1


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with one file.

    Attributes:
        path: the file as the user named it.
        line: 1-based line, or None where the whole file is meant.
        column: 1-based column, or None.
        field: dotted path of the field (`claim.confidence`), or "" for the file.
        message: what is wrong; what is allowed.
    """

    path: str
    line: int | None
    column: int | None
    field: str
    message: str

    def __str__(self) -> str:
        place = self.path if self.line is None else f"{self.path}:{self.line}"
        return f"{place}: {self.field}: {self.message}" if self.field else f"{place}: {self.message}"


class InputError(EchosimError):
    """Something the user wrote is wrong.

    Args:
        message: one line, shown as it is; made from the faults when they are given instead.
        faults: every fault found, in file order.
    """

    exit_code = 2

    def __init__(self, message: str = "", faults: Sequence[Fault] = ()) -> None:
        self.faults = tuple(faults)
        super().__init__(message or "\n".join(str(fault) for fault in self.faults))


class PersonaError(InputError):
    """A persona file does not follow persona format 1."""


class StudyError(InputError):
    """A study file does not follow study format 1, or asks for something impossible."""


class PluginError(EchosimError):
    """A plugin is unknown (near names are offered), registered twice, or failed to load."""

    exit_code = 2


class EncoderError(EchosimError):
    """The encoder cannot be loaded, is not the one it claims to be, or gives unusable vectors."""

    exit_code = 2


class LimitReachedError(EchosimError):
    """A budget or limit stopped the run; it can be resumed."""

    exit_code = 3


class StorageError(EchosimError):
    """The run folder cannot be used: lock held, disc full, foreign, newer or damaged."""

    exit_code = 4


class ScoringError(EchosimError):
    """A metric returned a value outside its bounds or broke on a valid transcript."""
