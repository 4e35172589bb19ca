"""Every route that is for callers asks for a key, and for the scope that the OpenAPI document names."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from infra.documents.operations import OPERATIONS, UNDOCUMENTED
from infra.lambdas.function import route_key
from shoal.domain.api_key import Scope
from shoal.handlers.http.routes import ROUTES
from tests.support.api import Api, LambdaContext, gated
from tests.support.contract import documented
from tests.support.events import event
from tests.worlds.world import Customer

MCP = "POST /mcp"
SCOPES = {route: OPERATIONS[documented(route)].scope for route in ROUTES if route not in UNDOCUMENTED}
SCOPES[MCP] = Scope.READ
ASKING = {route: scope for route, scope in SCOPES.items() if scope is not None}
OF_THE_SITE = {route for route in UNDOCUMENTED if " /dashboard" in route}
PROVEN_OTHERWISE = {
    "POST /callbacks/{provider}/{job}/{mac}": "a MAC and the provider's signature",
    "POST /stripe/webhook": "Stripe's signature",
    "$default": "says only that there is nothing",
}


def call(api: Api, route: str, key: str | None) -> dict[str, Any]:
    method, path = route.split(" ")
    sent = event("http_post_cancel") | {"routeKey": route_key(route), "rawPath": path}
    sent["requestContext"]["http"] |= {"method": method, "path": path}
    sent["headers"] = {"authorization": f"Bearer {key}"} if key else {}
    handler = gated(ROUTES[route].verb, api.use_cases, api.gate)
    answer: dict[str, Any] = handler(sent, LambdaContext(api.world.clock))
    return answer


def test_no_route_is_left_out() -> None:
    open_to_all = {route for route, scope in SCOPES.items() if scope is None}
    assert ASKING.keys() | open_to_all | OF_THE_SITE | PROVEN_OTHERWISE.keys() == ROUTES.keys()
    assert {ROUTES[route].verb for route in open_to_all} == {"read_document", "read_health"}


@pytest.mark.parametrize("route", ASKING)
def test_a_key_with_every_scope_but_that_one_is_refused(api: Api, route: str) -> None:
    customer = api.world.customer(scopes=frozenset(Scope) - {ASKING[route]})

    answer = call(api, route, customer.key)

    assert answer["statusCode"] == 403
    body = json.loads(answer["body"])
    assert body.get("error", body)["details"] == {"scope": ASKING[route]}


@pytest.mark.parametrize("route", ASKING)
@pytest.mark.parametrize("suspended", [False, True])
def test_no_key_and_one_of_a_suspended_account_open_nothing(
    api: Api, customer: Customer, route: str, suspended: bool
) -> None:
    if suspended:
        accounts = api.world.tables.accounts
        accounts[customer.account_id] = replace(accounts[customer.account_id], suspended=True)

    answer = call(api, route, customer.key if suspended else None)

    assert answer["statusCode"] == (403 if suspended else 401)
    assert api.world.network.calls.count("keys.admit") == suspended
