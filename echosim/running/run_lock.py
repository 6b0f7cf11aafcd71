"""Who may write a run folder: one process at a time, by a lock that the kernel frees with its holder."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import filelock

from echosim.errors import StorageError
from echosim.running import run_folder


def acquire(folder: Path, holder: Callable[[], str]) -> filelock.BaseFileLock:
    """The folder's lock; freed when its holder dies, however it dies, and never stolen from a live one.

    Args:
        folder: a run folder.
        holder: tells who holds it; asked only where somebody does.

    Raises:
        StorageError: in use, or the folder cannot be written.
    """
    lock = filelock.FileLock(folder / run_folder.LOCK, timeout=0, mode=0o600, thread_local=False)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise StorageError(f"{folder}: run is in use by {holder()}; wait for it or stop it") from None
    except OSError as error:
        raise run_folder.trouble(folder, error) from error
    return lock


def is_held(folder: Path) -> bool:
    """True where a process writes the run now; takes the lock for a moment to find out."""
    if not (folder / run_folder.LOCK).exists():
        return False
    lock = filelock.FileLock(folder / run_folder.LOCK, timeout=0, mode=0o600, thread_local=False)
    try:
        lock.acquire()
    except filelock.Timeout:
        return True
    except OSError:
        return False  # nobody writes where nothing can be written
    lock.release()
    return False


def this_process() -> str:
    """What a holder is called."""
    return f"pid {os.getpid()} on host {socket.gethostname()}"
