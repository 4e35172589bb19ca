"""Look at a file in a process of its own, which its processor time ends.

A library decodes a part of a file in one call, and no header tells what that costs: slices of 27 bytes are a
whole picture to a decoder of H.264, as often as a packet repeats them. Nothing in a process ends such a call.
"""

from __future__ import annotations

import multiprocessing
import resource
import signal
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, Final, TypeVar

from shoal.domain.errors import OutputInvalid

Found = TypeVar("Found")

_FORK: Final = multiprocessing.get_context("fork")
"""The file and all packages are there at once; a new interpreter would load them for half a second."""


def in_child(look: Callable[[], Found], *, cpu_seconds_max: int) -> Found:
    """What the look finds, which must be small, or raises.

    Raises `OutputInvalid` for a file that takes longer, or that brings its reader down.
    """
    answers, told = _FORK.Pipe(duplex=False)
    child = _FORK.Process(target=_look, args=(look, told, cpu_seconds_max), daemon=True)
    with warnings.catch_warnings(), answers:
        warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside threads: the child uses none
        child.start()
        told.close()
        try:
            found = answers.recv()
        except EOFError:
            child.join()
            late = child.exitcode == -signal.SIGXCPU
            why = "takes too long to decode" if late else "could not be decoded"
            raise OutputInvalid(f"The file {why}.") from None
    child.join()
    if isinstance(found, Exception):
        raise found
    return found  # type: ignore[no-any-return] # what its own child sent


def _look(look: Callable[[], Any], told: Connection, cpu_seconds_max: int) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds_max, resource.RLIM_INFINITY))
    try:
        found = look()
    except Exception as error:  # noqa: BLE001 - raised where it was asked
        found = error
    told.send(found)
