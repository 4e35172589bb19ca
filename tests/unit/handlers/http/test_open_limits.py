"""Requests that no key stands for have a rate by the address they come from: open routes, and wrong keys."""

from __future__ import annotations

from typing import Any

import pytest

from shoal.domain.errors import Unavailable
from shoal.domain.provider import Pending
from shoal.domain.rate_limit import OPEN_REQUESTS_PER_MINUTE, RateLimit
from shoal.use_cases.accounts.limit_rates import BLOCK
from tests.support.api import Api, Response, gate_of
from tests.support.events import event
from tests.worlds.site import FRONT_TOKEN
from tests.worlds.world import Customer, World

BURST = RateLimit.of_rate(OPEN_REQUESTS_PER_MINUTE).burst
TRIES = 2 * BURST
WRONG = "Bearer sk_live_" + "0" * 32
LOOKUP = "keys.admit"


def ask(api: Api, name: str, key: str | None = None, source: str = "192.0.2.1", **headers: str) -> Response:
    sent: dict[str, Any] = event(name)
    sent["headers"].pop("authorization", None)
    sent["headers"] |= headers | ({"authorization": key} if key else {})
    sent["requestContext"]["http"]["sourceIp"] = source
    return api.send(sent)


def storm(api: Api, name: str, key: str | None = None) -> list[int]:
    """The statuses of many requests at one moment."""
    return [ask(api, name, key).status for _ in range(TRIES)]


@pytest.mark.parametrize(("name", "status"), [("http_get_health", 200), ("http_default", 404)])
def test_open_routes_are_limited_by_address(api: Api, name: str, status: int) -> None:
    statuses = storm(api, name)

    assert BURST - BLOCK <= statuses.count(status) <= BURST + BLOCK
    assert set(statuses) == {status, 429}
    assert ask(api, name, source="192.0.2.2").status == status
    refused = ask(api, name)
    assert refused.error["details"] == {"limit": "source"}
    api.world.clock.pass_seconds(int(refused.headers["Retry-After"]))
    assert ask(api, name).status == status


@pytest.mark.parametrize("key", [None, "Bearer nonsense", WRONG])
def test_keys_that_nobody_has_are_limited_by_address(api: Api, key: str | None) -> None:
    statuses = storm(api, "http_get_wallet", key)

    assert BURST - BLOCK <= statuses.count(401) <= BURST + BLOCK
    assert set(statuses) == {401, 429}
    assert api.world.network.calls.count(LOOKUP) <= BURST + BLOCK


def test_a_429_is_in_the_words_of_its_route(api: Api) -> None:
    storm(api, "http_get_videos", WRONG)

    refused = ask(api, "http_get_videos", WRONG)

    assert refused.json.keys() == {"code", "message", "docs_url", "details"}
    assert refused.json["code"] == "rate_limited"
    assert int(refused.headers["Retry-After"]) >= 1


def test_a_good_key_is_not_counted_and_passes_beside_one_who_guesses(api: Api, customer: Customer) -> None:
    good = f"Bearer {customer.key}"
    before = dict(api.world.rates.tats)
    assert ask(api, "http_get_wallet", good).status == 200
    assert api.world.rates.tats == before
    storm(api, "http_get_wallet", WRONG)

    assert ask(api, "http_get_wallet", good).status == 200
    late = api.world.customer()
    assert ask(api, "http_get_wallet", f"Bearer {late.key}").status == 429
    assert ask(api, "http_get_wallet", f"Bearer {late.key}", source="192.0.2.2").status == 200


def test_a_key_that_was_revoked_is_as_wrong_as_any(api: Api, customer: Customer) -> None:
    assert ask(api, "http_get_wallet", f"Bearer {customer.key}").status == 200
    api.world.manage.revoke_key(customer.account_id, customer.stored_key.id)

    assert storm(api, "http_get_wallet", f"Bearer {customer.key}").count(429) >= TRIES - BURST - BLOCK


def test_the_viewer_behind_the_firewall_is_limited_and_not_the_firewall(api: Api) -> None:
    api.gate = gate_of(api.world, FRONT_TOKEN)

    def through(viewer: str, token: str = FRONT_TOKEN) -> int:
        passed = {"x-shoal-front": token, "x-forwarded-for": f"10.9.9.9, {viewer}, 198.51.100.1"}
        return ask(api, "http_get_health", **passed).status

    assert [through("192.0.2.9") for _ in range(TRIES)].count(429) >= TRIES - BURST - BLOCK
    assert through("192.0.2.8") == 200
    statuses = [through(f"203.0.113.{n % 250}", "guessed") for n in range(TRIES)]
    assert statuses.count(429) >= TRIES - BURST - BLOCK, "nobody else is believed"


def test_callbacks_that_are_signed_are_never_limited(api: Api, customer: Customer) -> None:
    """Their provider may send each once: a limit must not lose it. Forged ones count for who sends them."""
    job = api.world.asked(api.world.processing(customer), "ref-1")
    url = api.world.callback_urls.url(job, 0, job.calls[0])
    provider, job_key, mac = url.split("/")[-3:]
    api.world.provider.callback = Pending("ref-1", 0)

    def call_back(mac: str) -> int:
        sent: dict[str, Any] = event("http_post_callback")
        sent["pathParameters"] = {"provider": provider, "job": job_key, "mac": mac}
        sent["requestContext"]["http"]["sourceIp"] = "192.0.2.1"
        return api.send(sent).status

    forged = [call_back("guessed") for _ in range(TRIES)]

    assert set(forged) == {404, 429}
    assert forged.count(404) <= BURST + BLOCK
    assert {call_back(mac) for _ in range(TRIES)} == {204}


def test_the_api_answers_when_nothing_can_be_counted(world: World, api: Api) -> None:
    world.network.fail("rates.count", Unavailable())

    assert set(storm(api, "http_get_health")) == {200}
