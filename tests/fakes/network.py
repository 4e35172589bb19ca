"""What every fake is reached over, and how a test makes it fail."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Concatenate, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


@dataclass
class Fault:
    """`error` at one call: by its number, or at every call of `name`. `lost_reply`: after it took effect."""

    error: BaseException
    index: int | None = None
    name: str | None = None
    lost_reply: bool = False

    def strikes(self, name: str, index: int) -> bool:
        return index == self.index if self.name is None else name == self.name


@dataclass
class Network:
    """What every fake is reached over. `calls` are the names of all calls so far, such as `ledger.submit`."""

    calls: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    others: dict[str, Callable[[], object]] = field(default_factory=dict)

    @contextmanager
    def call(self, name: str) -> Iterator[None]:
        if other := self.others.pop(name, None):
            other()
        fault = next((fault for fault in self.faults if fault.strikes(name, len(self.calls))), None)
        self.calls.append(name)
        if fault and not fault.lost_reply:
            raise fault.error
        yield
        if fault:
            raise fault.error

    def fail(self, name: str, error: BaseException, *, lost_reply: bool = False) -> None:
        self.faults.append(Fault(error, name=name, lost_reply=lost_reply))

    def before(self, name: str, other: Callable[[], object]) -> None:
        """Let somebody else be faster, once: `other` happens just before the next call of `name`."""
        self.others[name] = other

    def heal(self) -> None:
        self.faults.clear()


class Reachable(Protocol):
    network: Network
    port: str


F = TypeVar("F", bound=Reachable)


def reached(method: Callable[Concatenate[F, P], R]) -> Callable[Concatenate[F, P], R]:
    """A method of a port, called over the network."""

    @functools.wraps(method)
    def call(self: F, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with self.network.call(f"{self.port}.{method.__name__}"):
            return method(self, *args, **kwargs)

    return call
