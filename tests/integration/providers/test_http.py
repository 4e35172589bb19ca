"""One exchange with a provider: what is sent, what is never sent, and what each failure is called."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import time_machine

from shoal.adapters.providers.kit.http import ProviderHttp, Reply, bearer, retry_after_seconds
from shoal.domain.errors import (
    OutcomeUnknown,
    ProviderBusy,
    ProviderFailed,
    ProviderRejected,
    ProviderUnusable,
)
from tests.fakes.providers.server import (
    Asked,
    FakeProvider,
    Fault,
    Malformed,
    Told,
    broken_off,
    instead,
    late,
    lost,
    telling,
)
from tests.support.providers import answered
from tests.support.receiver import Receiver, raw


class Echo(FakeProvider):
    routes = (("POST", "/v1/work", "work"), ("GET", "/v1/work", "work"), ("GET", "/v1/file", "work"))

    def allow(self, _: Asked) -> Told | None:
        return None

    def refuse(self, problem: Malformed) -> Told:
        return telling({"error": str(problem)}, problem.status)

    def work(self, _: Asked) -> Told:
        return telling({"said": "x" * 1000})


@pytest.fixture
def echo() -> Iterator[Echo]:
    with Echo(key="sk-1") as fake:
        yield fake
    assert fake.problems == []


def http(fake: FakeProvider, *, read_s: float = 5.0, bytes_max: int = 10_000) -> ProviderHttp:
    headers = bearer(lambda: fake.key)
    return ProviderHttp("echo", f"{fake.url}/v1", headers=headers, read_s=read_s, bytes_max=bytes_max)


def test_the_key_of_the_moment_is_sent(echo: Echo) -> None:
    client = http(echo)
    for key in ("sk-1", "sk-2"):
        echo.key = key
        client.send("POST", "/work", json={})
    assert [asked.headers["authorization"] for asked in echo.requests] == ["Bearer sk-1", "Bearer sk-2"]


def test_the_environment_adds_nothing(echo: Echo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert http(echo).send("GET", "/work").status == 200


def test_a_redirect_is_read_no_further_than_any_answer(echo: Echo) -> None:
    away = Told(302, b"x" * 1000, {"Location": f"{echo.url}/v1/file"})
    echo.will(instead(away))
    with pytest.raises(ProviderFailed):
        http(echo, bytes_max=999).send("GET", "/work")


def test_what_is_no_address_was_sent_to_nobody(echo: Echo) -> None:
    for place in ("ftp://files.example/1", "http://[", "http://files.example:x/"):
        with pytest.raises(ProviderUnusable):
            http(echo).send("POST", place)


def test_a_redirect_is_not_followed(echo: Echo) -> None:
    echo.will(instead(Told(302, headers={"Location": f"{echo.url}/v1/file"})))
    reply = http(echo).send("GET", "/work")
    assert reply.status == 302
    with pytest.raises(ProviderUnusable):
        reply.raise_for_status()
    assert len(echo.requests) == 1


def test_a_download_follows_redirects_of_its_own_origin(echo: Echo) -> None:
    echo.will(instead(Told(302, headers={"Location": "/v1/file"})))
    reply = http(echo).download(f"{echo.url}/v1/work")
    assert isinstance(reply, Reply)
    assert [asked.path for asked in echo.requests] == ["/v1/work", "/v1/file"]


def test_a_download_that_leads_elsewhere_is_told_and_not_followed(echo: Echo) -> None:
    with Echo(key="") as elsewhere:
        away = f"{elsewhere.url}/v1/file"
        echo.will(instead(Told(307, headers={"Location": away})))
        assert http(echo).download("/work") == away
        assert elsewhere.requests == []


def test_a_download_that_leads_nowhere_fails(echo: Echo) -> None:
    echo.will(instead(Told(302, headers={"Location": "http://["})))
    with pytest.raises(ProviderFailed):
        http(echo).download("/work")


def test_a_malformed_answer_was_an_answer_all_the_same(echo: Echo) -> None:
    def odd(told: Told) -> Told:
        return replace(told, headers={**told.headers, "Content-Length": "5, 6"})

    echo.will(Fault(odd))
    with pytest.raises(OutcomeUnknown):
        http(echo).send("POST", "/work")
    assert len(echo.requests) == 1


def test_a_download_in_circles_ends(echo: Echo) -> None:
    echo.will(*[instead(Told(302, headers={"Location": "/v1/work"}))] * 10)
    with pytest.raises(ProviderFailed):
        http(echo).download("/work")
    assert len(echo.requests) == 4


@pytest.mark.parametrize("fault", [lost(), broken_off(), late(20.0)])
def test_a_lost_answer_is_unknown_unless_it_may_be_asked_again(echo: Echo, fault: Fault) -> None:
    client = http(echo, read_s=1.0)
    echo.will(*[fault] * 3)
    with pytest.raises(OutcomeUnknown):
        client.send("POST", "/work", json={})
    with pytest.raises(ProviderBusy):
        client.send("POST", "/work", json={}, repeatable=True)
    with pytest.raises(ProviderBusy):
        client.send("GET", "/work")
    assert len(echo.requests) == 3


def test_what_never_reached_anybody_is_no_unknown_outcome() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refused
        port = taken.getsockname()[1]
        with pytest.raises(ProviderBusy):
            ProviderHttp("gone", f"http://127.0.0.1:{port}", headers=dict).send("POST", "/work")


def test_a_name_that_nobody_has_is_no_unknown_outcome() -> None:
    with pytest.raises(ProviderBusy):
        ProviderHttp("gone", "http://nobody.invalid", headers=dict).send("POST", "/work")


@pytest.mark.parametrize("key", ["sk-1\nX-More: 1", "ключ"])
def test_a_key_that_cannot_be_sent_is_the_operators_and_not_told(echo: Echo, key: str) -> None:
    echo.key = key
    with pytest.raises(ProviderUnusable) as found:
        http(echo).send("POST", "/work")
    assert key not in str(found.value)
    assert echo.requests == []


def test_an_answer_beyond_the_limit_fails(echo: Echo) -> None:
    with pytest.raises(ProviderFailed):
        http(echo, bytes_max=999).send("GET", "/work")


def test_answers_before_the_final_one_are_passed_over() -> None:
    interim = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
    final = (
        b"HTTP/1.1 200 OK\r\nContent-Type:  Application/JSON ; charset=utf-8 \r\nContent-Length: 2\r\n\r\n{}"
    )
    with Receiver(raw(interim + final)) as receiver:
        reply = ProviderHttp("early", receiver.url(), headers=dict).send("POST", "/work")
    assert (reply.status, reply.json()) == (200, {})


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 503])
def test_busy_statuses(status: int) -> None:
    with pytest.raises(ProviderBusy) as busy:
        _reply(status, {"Retry-After": "12"}).raise_for_status(known=True)
    assert busy.value.retry_after_seconds == 12


@pytest.mark.parametrize(
    ("status", "known"), [(502, True), (504, True), (522, True), (500, False), (507, False)]
)
def test_who_does_not_know_the_outcome_is_not_asked_twice(status: int, known: bool) -> None:
    with pytest.raises(OutcomeUnknown):
        _reply(status).raise_for_status(known=known)
    with pytest.raises(ProviderBusy):
        replace(_reply(status), repeatable=True).raise_for_status(known=known)


@pytest.mark.parametrize("status", [400, 413, 415, 422])
def test_statuses_of_the_request_are_told_plainly(status: int) -> None:
    with pytest.raises(ProviderRejected, match=r"^The provider refused the request's parameters\.$"):
        _reply(status).raise_for_status("internal words")


@pytest.mark.parametrize("status", [301, 401, 402, 403, 404, 418])
def test_every_other_status_is_the_operators_without_the_key(status: int) -> None:
    with pytest.raises(ProviderUnusable) as found:
        _reply(status, body=b"the key sk-1 is wrong").raise_for_status()
    assert "the key *** is wrong" in str(found.value)


@time_machine.travel(datetime(2026, 11, 22, tzinfo=UTC), tick=False)
def test_waits_are_read_in_every_spelling() -> None:
    at = datetime(2026, 11, 22, tzinfo=UTC) + timedelta(seconds=90)
    assert retry_after_seconds({"Retry-After": "7"}) == 7
    assert retry_after_seconds({"Retry-After": "0.2"}) == 1
    assert retry_after_seconds({"Retry-After": format_datetime(at, usegmt=True)}) == 90
    assert retry_after_seconds({"Retry-After-Ms": "2500", "Retry-After": "9"}) == 3
    assert retry_after_seconds({"Retry-After": "-5"}) == 1
    assert retry_after_seconds({"Retry-After": "9" * 300}) == 86_400
    assert retry_after_seconds({"Retry-After": "Sunday, 22-Nov-26 00:01:30 GMT"}) == 90
    assert retry_after_seconds({"Retry-After": "Sun Nov 22 00:01:30 2026"}) == 90
    for word in ("soon", "", "nan", "inf"):
        assert retry_after_seconds({"Retry-After": word}) is None


def _reply(status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> Reply:
    fields = headers or {}
    return Reply("echo", status, fields, answered(fields, body), repeatable=False, secrets=("sk-1",))
