"""The HTTP API sends every method of a path to its function, which takes those that the path has."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from infra.lambdas.function import route_key
from shoal.domain.idempotency import IdempotencyKey
from shoal.handlers.http.endpoint import Request
from shoal.handlers.http.routes import ROUTES, methods_of
from tests.support.api import VERBS, Api, Response
from tests.support.events import event
from tests.unit.handlers.http.test_http_routes import NEED_A_KEY
from tests.worlds.site import Site
from tests.worlds.site_fixtures import site
from tests.worlds.world import Customer

__all__ = ["site"]

METHODS = ("BREW", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE")
OF_VIDEOS = ("/api/v1/videos", "/api/v1/webhooks", "/api/v1/credits")
OPEN = {"read_document", "read_health", "show_dashboard", "operate", "top_up"}
"""Functions that ask for no key."""
PATHS: dict[str, set[str]] = {}
"""What each path takes, by the table of routes."""
for each in ROUTES.keys() - {"$default"}:
    PATHS.setdefault(each.partition(" ")[2], set()).add(each.partition(" ")[0])
TAKEN = [(method, path) for path, methods in sorted(PATHS.items()) for method in sorted(methods)]
READ = [path for method, path in TAKEN if method == "GET"]
ASKING = [path for path in READ if VERBS[f"ANY {path}"] not in OPEN]
REFUSED = [
    (method, path)
    for path, methods in sorted(PATHS.items())
    for method in METHODS
    if method not in methods | {"OPTIONS"} and not (method == "HEAD" and "GET" in methods)
]
READING = ["http_get_health", *(name for name in NEED_A_KEY if name.startswith("http_get_"))]


def sent(method: str, path: str) -> dict[str, Any]:
    """The event of a request: API Gateway prefers a key with the method itself to `ANY`."""
    own, address = f"{method} {path}", re.sub(r"\{\w+\+?\}", "x", path)
    made: dict[str, Any] = event("http_get_health") | {"rawPath": address}
    made["routeKey"] = own if own in VERBS else f"ANY {path}"
    made["requestContext"]["http"] |= {"method": method, "path": address}
    return made


def allow(path: str) -> str:
    methods = PATHS[path]
    return ", ".join(sorted(methods | {"HEAD"} if "GET" in methods else methods))


@pytest.mark.parametrize(("method", "path"), REFUSED)
def test_a_method_that_a_path_does_not_have_is_told_those_it_has(api: Api, method: str, path: str) -> None:
    answer = api.send(sent(method, path))

    assert (answer.status, answer.headers["Allow"]) == (405, allow(path))
    assert answer.headers["Content-Type"] == "application/json"
    assert api.world.network.calls == []
    said = {"code": "method_not_allowed", "message": "This address does not take this method."}
    if method == "HEAD":
        assert answer.text == ""
    elif path.startswith(OF_VIDEOS):
        assert answer.json == said | {
            "docs_url": "https://api.test/docs/api#method_not_allowed",
            "details": {},
        }
    else:
        assert answer.json == {"data": None, "error": said | {"status": 405}}


@pytest.mark.parametrize("path", sorted(PATHS))
def test_options_tells_the_methods_of_a_path_without_a_key(api: Api, path: str) -> None:
    answer = api.send(sent("OPTIONS", path))

    assert (answer.status, answer.text, answer.headers["Allow"]) == (204, "", allow(path))
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]
    assert api.world.network.calls == []


@pytest.mark.parametrize("name", READING)
def test_head_is_get_without_a_body(api: Api, customer: Customer, name: str) -> None:
    get, head = both(api, event(name), customer)

    assert get.text
    assert (head.status, head.text) == (get.status, "")
    assert without_allowance(head) == without_allowance(get)


@pytest.mark.parametrize("path", ASKING)
def test_head_is_refused_as_get_is(api: Api, path: str) -> None:
    get, head = both(api, sent("GET", path), None)

    assert get.text
    assert (head.status, head.headers, head.text) == (get.status, get.headers, "")


def both(api: Api, asked: dict[str, Any], customer: Customer | None) -> tuple[Response, Response]:
    """The answers to GET and to HEAD."""
    if customer:
        asked["headers"]["authorization"] = f"Bearer {customer.key}"
    get = api.send(asked)
    asked["requestContext"]["http"]["method"] = "HEAD"
    return get, api.send(asked)


def without_allowance(answer: Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name != "RateLimit"}


@pytest.mark.parametrize("path", ["/sign-in", "/", "/nowhere"])
def test_head_of_a_page_is_get_without_a_body(site: Site, path: str) -> None:
    member = site.member()

    get, head = member.get(path), member.send("HEAD", path)

    assert get.text
    assert (head.status, head.text) == (get.status, "")
    assert head.headers == get.headers


def test_head_of_a_page_leads_to_signing_in(site: Site) -> None:
    answer = site.browser().send("HEAD", "/jobs")

    assert (answer.status, answer.location) == (303, "/dashboard/sign-in?next=%2Fjobs")


@pytest.mark.parametrize(("method", "path"), TAKEN)
def test_a_route_is_named_by_the_method_that_was_sent(method: str, path: str) -> None:
    """Logs, records of idempotency and functions with several routes go by this name."""
    assert Request(sent(method, path), lambda: 0).route == f"{method} {path}"


@pytest.mark.parametrize("path", READ)
def test_the_route_of_head_is_that_of_get(path: str) -> None:
    request = Request(sent("HEAD", path), lambda: 0)

    assert (request.route, request.method, request.pattern) == (f"GET {path}", "GET", path)


@pytest.mark.parametrize(
    ("name", "route"),
    [
        ("http_post_generate", "POST /v1/generate"),
        ("http_post_image", "POST /api/v1/image"),
        ("http_post_video", "POST /api/v1/videos"),
    ],
)
def test_an_answer_that_version_0_1_recorded_is_given_again(api: Api, name: str, route: str) -> None:
    customer = api.world.customer(credits=20)
    first = api.call(name, customer, headers={"idempotency-key": "order-1"})
    (made,) = api.world.tables.records.values()
    key = IdempotencyKey.of(customer.account_id, route, "order-2", json.loads(event(name)["body"]))
    api.world.tables.records[customer.account_id, route, "order-2"] = replace(made, key=key)

    again = api.call(name, customer, headers={"idempotency-key": "order-2"})

    assert (again.status, again.json) == (202, first.json)
    assert again.headers["Idempotent-Replayed"] == "true"


def test_the_api_has_a_key_for_each_path() -> None:
    """And one more for a path whose methods lead to two functions."""
    own = {key for key in VERBS if not key.startswith("ANY ")}

    assert own == {"$default", "POST /api/v1/videos"}
    assert {key.removeprefix("ANY ") for key in VERBS.keys() - own} == PATHS.keys()
    assert all(VERBS[route_key(route)] == row.verb for route, row in ROUTES.items())
    assert methods_of("/nowhere") == ()
