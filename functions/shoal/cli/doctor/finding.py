"""What the doctor found, and how a check is kept from failing for want of a permission."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from shoal.cli.doctor.plan import StagePlan


class Level(StrEnum):
    """How bad it is. `UNREAD`: these credentials may not look."""

    OK = "ok"
    WARNING = "warning"
    STOPS = "stops"
    UNREAD = "unread"


@dataclass(frozen=True, slots=True)
class Finding:
    """`found` says how it is, `todo` what to do about it."""

    check: str
    level: Level
    found: str
    todo: str = ""


@dataclass(frozen=True, slots=True)
class Patient:
    """A stage and the account where it is, or will be. `client` makes a service's client for `region`."""

    plan: StagePlan
    client: Callable[..., Any]
    region: str


Check = Callable[[Patient], Iterable[Finding]]


def ok(check: str, found: str) -> Finding:
    return Finding(check, Level.OK, found)


def warning(check: str, found: str, todo: str) -> Finding:
    return Finding(check, Level.WARNING, found, todo)


def stops(check: str, found: str, todo: str) -> Finding:
    return Finding(check, Level.STOPS, found, todo)


def code_of(error: ClientError) -> str:
    """The service's name for the error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def look(name: str, check: Check, patient: Patient) -> Iterator[Finding]:
    """What one check finds; where AWS does not answer it, that is what was found."""
    try:
        yield from check(patient)
    except (BotoCoreError, ClientError) as error:
        yield Finding(
            name, Level.UNREAD, " ".join(str(error).split()), "Look with credentials that may read it."
        )
