"""What the tests of every provider ask for, and what each must make of a provider's failures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any

import pytest

from shoal.adapters.providers.kit.body import FileBody, JsonBody
from shoal.adapters.providers.kit.http import body_for
from shoal.domain.brief import Brief, Kind
from shoal.domain.errors import OutcomeUnknown, ProviderBusy, ProviderUnusable
from shoal.domain.provider import Answer, Done, ProviderRequest
from tests.fakes.providers.media import png
from tests.fakes.providers.server import (
    FakeProvider,
    Told,
    broken_off,
    garbage,
    instead,
    lost,
    telling,
    wrong_type,
)

NOW_S = 1_800_000_000
NOW_MS = NOW_S * 1000
PICTURE = png(64, 32)

REQUEST = ProviderRequest(
    idempotency_key="job_1-0",
    brief=Brief(Kind.PICTURE, "shoal-image", "a red fox", "16:9", 1024, 576, seed=None),
    submitted_at_ms=NOW_MS,
    callback_url="https://shoal.example/callbacks/one",
)


def asking(**changes: Any) -> ProviderRequest:
    """`changes` replace fields of the request and of its brief."""
    of_request = {each.name for each in fields(ProviderRequest)}
    of_brief = {each.name for each in fields(Brief)} & set(changes) - of_request
    brief = replace(REQUEST.brief, **{name: changes.pop(name) for name in of_brief})
    return replace(REQUEST, brief=brief, **changes)


def answered(headers: Mapping[str, str], data: bytes) -> FileBody | JsonBody:
    """The body of an answer as it is read from a provider."""
    body = body_for(headers)
    body.write(data)
    return body


def delivered(answer: Answer) -> bytes:
    """What a provider handed over."""
    assert isinstance(answer, Done)
    assert answer.output.file is not None
    return answer.output.file.read()


def swallowing(fake: FakeProvider, submit: Callable[[], object]) -> None:
    """A submit whose answer is lost, in any way, is unknown: it was taken once and is not sent again."""
    for fault in (lost(), broken_off(), garbage(), wrong_type()):
        before = len(fake.requests)
        fake.will(fault)
        with pytest.raises(OutcomeUnknown):
            submit()
        assert len(fake.requests) == before + 1


def repeatable(fake: FakeProvider, ask: Callable[[], object]) -> None:
    """What may be asked again is only busy when its answer is lost, in any way."""
    for fault in (lost(), broken_off(), garbage(), wrong_type()):
        fake.will(fault)
        with pytest.raises(ProviderBusy):
            ask()


def waiting(fake: FakeProvider, ask: Callable[[], object], told: Told) -> int:
    """How many seconds an answer makes Shoal wait."""
    fake.will(instead(told))
    with pytest.raises(ProviderBusy) as busy:
        ask()
    return busy.value.retry_after_seconds


def unusable(fake: FakeProvider, ask: Callable[[], object], told: Told) -> str:
    """What the operator reads of an answer; never the key."""
    fake.will(instead(told))
    with pytest.raises(ProviderUnusable) as found:
        ask()
    assert fake.key not in str(found.value)
    return str(found.value)


def gateways(fake: FakeProvider, submit: Callable[[], object], own: Told) -> None:
    """A submit that a gateway answers, or a 500 in no words of the provider's, was sent once, and no more."""
    page = Told(500, b"<html>Internal Server Error</html>", {"Content-Type": "text/html"})
    nobodys = [replace(page, status=status) for status in (500, 502, 504, 520, 524)]
    for told in (*nobodys, telling({}, 500), replace(own, status=502), replace(own, status=504)):
        before = len(fake.requests)
        fake.will(instead(told))
        with pytest.raises(OutcomeUnknown):
            submit()
        assert len(fake.requests) == before + 1
    assert waiting(fake, submit, own) >= 1


def plain_failures(fake: FakeProvider, ask: Callable[[], object], *, own: Told | None = None) -> None:
    """What every provider's adapter does with a bare HTTP status.

    `own`: a 500 in the provider's own words, for a submit that may not be repeated: it says that nothing was
    made, while a gateway, or a program that answers in its place, does not know.
    """
    for status in (429, 503) if own else (429, 500, 502, 503, 504):
        assert waiting(fake, ask, telling({}, status, {"Retry-After": "7"})) == 7
    assert waiting(fake, ask, Told(503, b"<html>", {"Content-Type": "text/html"})) >= 1
    if own:
        gateways(fake, ask, own)
    for status in (401, 402, 403, 302):
        assert str(status) in unusable(fake, ask, telling({"error": {"message": fake.key}}, status))
