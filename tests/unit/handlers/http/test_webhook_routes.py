"""Every webhook route asks for a key with the scope, in its own dialect's words, before it does anything."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.lambdas.function import route_key
from shoal.domain.api_key import Scope
from shoal.handlers.http.routes import ROUTES
from tests.support.api import LambdaContext, gate_of, gated
from tests.support.events import event
from tests.worlds.webhook_world import WebhookWorld
from tests.worlds.world import Customer, World

WEBHOOK_ROUTES = sorted(
    route
    for route, row in ROUTES.items()
    if row.verb in ("manage_webhooks", "manage_deliveries", "manage_webhook_secret")
)
LIMIT = '"key";q=60;w=60'


def test_the_routes_are_there() -> None:
    assert len(WEBHOOK_ROUTES) == 13


def call(
    world: World, route: str, key: str | None, *, headers: dict[str, str] | None = None, **changes: Any
) -> dict[str, Any]:
    method, path = route.split(" ")
    sent = event("http_post_cancel") | {"routeKey": route_key(route), "rawPath": path} | changes
    sent["headers"] |= headers or {}
    sent["requestContext"]["http"] |= {"method": method, "path": path}
    del sent["headers"]["authorization"]
    if key is not None:
        sent["headers"]["authorization"] = f"Bearer {key}"
    use_cases = {"manage_webhooks": lambda: WebhookWorld().manage}
    handler = gated(ROUTES[route].verb, use_cases, gate_of(world))
    answer: dict[str, Any] = handler(sent, LambdaContext(world.clock))
    return answer


def refusal(route: str, code: str, message: str, status: int, **details: str) -> dict[str, Any]:
    """The error in the words of the route's dialect."""
    if route.endswith(("/v1/webhook-secret", "/v1/webhook-secret/rotate")):
        return {
            "data": None,
            "error": {"code": code, "message": message, "status": status, "details": details},
        }
    docs_url = f"https://api.test/docs/api#{code}"
    return {"code": code, "message": message, "docs_url": docs_url, "details": details}


@pytest.mark.parametrize("route", WEBHOOK_ROUTES)
@pytest.mark.parametrize("key", [None, "", "vsk_live_0123456789abcdefghijABCDEFGHIJKL"])
def test_nobody_without_a_key_is_told_anything(world: World, route: str, key: str | None) -> None:
    answer = call(world, route, key)

    assert answer["statusCode"] == 401
    assert json.loads(answer["body"]) == refusal(route, "unauthorized", "Missing or invalid API key.", 401)


@pytest.mark.parametrize("route", WEBHOOK_ROUTES)
def test_a_revoked_key_opens_no_route(world: World, customer: Customer, route: str) -> None:
    world.keys.revoke(customer.account_id, customer.stored_key.id, world.clock.now_ms())

    assert call(world, route, customer.key)["statusCode"] == 401


@pytest.mark.parametrize("route", WEBHOOK_ROUTES)
def test_a_key_without_the_scope_is_forbidden_and_told_its_limit(world: World, route: str) -> None:
    customer = world.customer(scopes=frozenset(Scope) - {Scope.WEBHOOKS})

    answer = call(world, route, customer.key)

    assert (answer["statusCode"], answer["headers"]["RateLimit-Policy"]) == (403, LIMIT)
    message = "This API key does not have the scope this request needs."
    assert json.loads(answer["body"]) == refusal(route, "forbidden", message, 403, scope="webhooks")


@pytest.mark.parametrize("webhook_id", ["", "wh_1", "requested", "x" * 4_000, "wh_1/rotate#"])
def test_the_secret_of_what_is_no_webhook_is_not_looked_for(
    world: World, customer: Customer, webhook_id: str
) -> None:
    """Part of where an Idempotency-Key counts, it would be a longer key than the table takes."""
    once, wanted = {"idempotency-key": "once"}, {"id": webhook_id}

    answer = call(
        world, "POST /api/v1/webhooks/{id}/rotate", customer.key, headers=once, pathParameters=wanted
    )

    assert answer["statusCode"] == 404
    assert json.loads(answer["body"])["message"] == "There is no webhook with this id."
