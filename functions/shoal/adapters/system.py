"""The machine's own clock, randomness and threads."""

from __future__ import annotations

import secrets
import string
import time
from collections.abc import Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from shoal.domain.ids import ulid

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

Given = TypeVar("Given")
Found = TypeVar("Found")

THREADS_MAX = 16
"""Calls of AWS wait far longer than they compute; with this many, the vCPU of a function is what ends it."""
_ALPHABET = string.ascii_letters + string.digits


class SystemClock:
    """Implements the `Clock` port."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000


class RandomIds:
    """Implements the `Ids` port."""

    def new(self, prefix: str, at_ms: int) -> str:
        return f"{prefix}_{ulid(at_ms, secrets.token_bytes(10))}"

    def secret(self, length: int) -> str:
        return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def beside(work: Callable[[], Found]) -> Callable[[], Found]:
    """Implements the `Beside` port with a thread."""
    return _threads().submit(work).result


def at_once(work: Callable[[Given], Found], each: Iterable[Given]) -> list[Found]:
    """Implements the `AtOnce` port, in threads."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(
        THREADS_MAX
    ) as threads:  # its own: work that does more work at once never waits for itself
        return list(threads.map(work, each))


@cache
def _threads() -> ThreadPoolExecutor:
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(THREADS_MAX, thread_name_prefix="beside")
