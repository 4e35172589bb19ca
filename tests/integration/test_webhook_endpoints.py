"""Deliveries over real sockets to a receiver on loopback that answers anything, and to names that lie."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from shoal.adapters.http import webhook_http
from shoal.adapters.http.vetted_http import VettedHttp
from shoal.adapters.http.webhook_http import VettedWebhookHttp
from shoal.domain.addresses import LOCAL_RULES, AddressRules
from shoal.domain.delivery import Attempt
from shoal.domain.webhook import DisabledReason, Subscription
from tests.support.receiver import (
    AUTHORITY,
    Answer,
    Receiver,
    dripping_body,
    dripping_headers,
    hang,
    huge,
    raw,
    reply,
    write_authority,
)
from tests.support.resolver import Resolver
from tests.support.webhooks import assert_signed
from tests.worlds.webhook_world import PUBLIC_ADDRESS, WebhookWorld

HOST = "hooks.example.com"
WALL_CLOCK_S = 0.6
LATE_S = 10.0
GIGABYTE = 2**30
RETRY_MS = 67_000
ANY_PORT = AddressRules(https_only=False, ports=range(1, 65_536))
"""Production's addresses on the ports of a test."""


@pytest.fixture(autouse=True)
def _short_wall_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook_http, "WALL_CLOCK_SECONDS", WALL_CLOCK_S)


class Wire:
    """Webhooks over real sockets; every name leads to loopback unless the resolver says otherwise."""

    def __init__(
        self,
        rules: AddressRules = LOCAL_RULES,
        resolver: Resolver | None = None,
        ca_file: str | None = None,
    ) -> None:
        http = VettedHttp(rules, resolve=resolver or Resolver(), ca_file=ca_file)
        self.webhooks = WebhookWorld(http=VettedWebhookHttp(http))
        # The packages' verifiers look at the clock on the wall.
        self.webhooks.clock.ms = round(time.time() * 1000)
        self.webhooks.endpoints.rules = ANY_PORT

    def send(self, url: str) -> tuple[Attempt, str]:
        """The first attempt at an event for this endpoint, and the secret that signed it."""
        webhook_id, secret = self.webhooks.subscribed("image.*", url=url)
        self.webhooks.event()
        self.webhooks.run(until_ms=self.webhooks.clock.ms + 100)
        (delivery,) = self.webhooks.all_of(webhook_id)
        (attempt,) = delivery.attempts
        return attempt, secret

    @property
    def subscription(self) -> Subscription:
        (found,) = self.webhooks.tables.subscriptions.values()
        return found


def test_200_takes_the_event_and_what_was_sent_verifies() -> None:
    with Receiver(reply(200, b"thanks")) as receiver:
        attempt, secret = Wire().send(receiver.url("/hook?token=1", host=HOST))

        (request,) = receiver.wait_for(1)
    assert (attempt.status_code, attempt.error, attempt.response) == (200, None, "thanks")
    assert (request.method, request.path) == ("POST", "/hook?token=1")
    assert request.headers["host"] == f"{HOST}:{receiver.port}"
    assert_signed(secret, request.headers, request.body)


def test_500_then_200_is_one_event_sent_twice() -> None:
    wire = Wire()
    with Receiver(reply(500, b"oops"), reply(200)) as receiver:
        attempt, _ = wire.send(receiver.url(host=HOST))
        wire.webhooks.run(until_ms=wire.webhooks.clock.ms + RETRY_MS)

        first, second = receiver.wait_for(2)
    assert (attempt.status_code, attempt.response) == (500, "oops")
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body


def test_301_is_a_failure_and_its_location_is_not_visited() -> None:
    with Receiver() as elsewhere, Receiver(reply(301, headers={"Location": elsewhere.url()})) as receiver:
        attempt, _ = Wire().send(receiver.url(host=HOST))

        assert attempt.error == "The endpoint answered 301; redirects are not followed."
        assert elsewhere.connections == 0


def test_410_disables_the_subscription_at_once() -> None:
    wire = Wire()
    with Receiver(reply(410)) as receiver:
        wire.send(receiver.url(host=HOST))

    assert wire.subscription.disabled_reason is DisabledReason.GONE
    assert wire.webhooks.bus.types() == ["webhook.disabled"]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(hang(), id="hang"),
        pytest.param(dripping_headers(0.05), id="headers byte by byte"),
        pytest.param(dripping_body(0.05), id="body byte by byte"),
    ],
)
def test_an_endpoint_slower_than_the_wall_clock_has_not_taken_the_event(answer: Answer) -> None:
    started = time.monotonic()
    with Receiver(answer) as receiver:
        attempt, _ = Wire().send(receiver.url(host=HOST))

    assert attempt.error == f"No complete answer within {WALL_CLOCK_S:g} s."
    assert attempt.status_code is None
    assert time.monotonic() - started < LATE_S


@pytest.mark.parametrize("announced", [True, False])
def test_of_a_gigabyte_only_the_beginning_is_read(announced: bool) -> None:
    started = time.monotonic()
    with Receiver(huge(GIGABYTE, announced=announced)) as receiver:
        attempt, _ = Wire().send(receiver.url(host=HOST))

    assert (attempt.status_code, attempt.error) == (200, None)
    assert attempt.response == "x" * 1024
    assert time.monotonic() - started < LATE_S


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(raw(b"SSH-2.0-OpenSSH\r\n\r\n"), id="another protocol"),
        pytest.param(raw(), id="nothing"),
        pytest.param(raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"), id="half a body"),
    ],
)
def test_what_is_no_whole_answer_is_a_failure(answer: Answer) -> None:
    with Receiver(answer) as receiver:
        attempt, _ = Wire().send(receiver.url(host=HOST))

    assert attempt.error
    assert "127.0.0.1" not in attempt.error


def test_a_certificate_of_the_name_is_accepted_and_asked_for_by_name(tmp_path: Path) -> None:
    with Receiver(certificate=AUTHORITY.issue_cert(HOST)) as receiver:
        attempt, _ = Wire(ca_file=write_authority(tmp_path)).send(receiver.url(host=HOST))

        assert attempt.error is None
        assert receiver.server_names == [HOST]


@pytest.mark.parametrize(("issued_to", "trusted"), [("other.example.com", True), (HOST, False)])
def test_a_wrong_certificate_gets_no_request(tmp_path: Path, issued_to: str, trusted: bool) -> None:
    ca_file = write_authority(tmp_path) if trusted else None
    with Receiver(certificate=AUTHORITY.issue_cert(issued_to)) as receiver:
        attempt, _ = Wire(ca_file=ca_file).send(receiver.url(host=HOST))

        assert (attempt.error or "").startswith("The certificate does not hold: ")
        assert receiver.requests == []


def test_a_name_that_turned_to_loopback_after_creation_is_refused_unconnected() -> None:
    wire = Wire(ANY_PORT, Resolver(["127.0.0.1"]))
    with Receiver() as listener:
        attempt, _ = wire.send(listener.url(host="rebind.example.com"))

        assert listener.connections == 0
    assert attempt.error == (
        "The URL's host name leads to a loopback address; it must be reachable publicly."
    )
    assert wire.webhooks.endpoints.resolve.asked == [("rebind.example.com", listener.port)]


def test_one_loopback_address_among_public_ones_is_refused_unconnected() -> None:
    with Receiver() as listener:
        attempt, _ = Wire(ANY_PORT, Resolver([PUBLIC_ADDRESS, "127.0.0.1"])).send(
            listener.url(host="rebind.example.com")
        )

        assert listener.connections == 0
    assert "leads to a loopback address" in (attempt.error or "")


def test_a_name_is_resolved_once_an_attempt_and_the_vetted_address_dialled() -> None:
    """A second look would find another address."""
    resolver = Resolver(["127.0.0.1"], [PUBLIC_ADDRESS])
    with Receiver() as listener:
        attempt, _ = Wire(resolver=resolver).send(listener.url(host="rebind.example.com"))

        assert listener.connections == 1
    assert resolver.asked == [("rebind.example.com", listener.port)]
    assert (attempt.status_code, attempt.error) == (200, None)
