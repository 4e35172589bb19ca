"""A route's row says who may ask and what is spoken: each row is whole, and the endpoint goes by it."""

from __future__ import annotations

import ast
import inspect
from dataclasses import replace
from importlib import import_module
from typing import Any

import pytest

from infra.lambdas.registry import functions
from shoal.dialects.spoken import APIS, SpokenApi, spoken
from shoal.domain.errors import NotFound
from shoal.domain.families import FAMILIES
from shoal.handlers.http.endpoint import Answer, Endpoint, Request
from shoal.handlers.http.routes import ROUTES, Route, dialect_around
from tests.support.api import API_URL, Api, LambdaContext, gate_of
from tests.support.events import event
from tests.support.handlers import MODULES
from tests.worlds.world import Customer, World


def mentions(verb: str, attribute: str) -> bool:
    """Whether the function's module reads this of a request."""
    tree = ast.parse(inspect.getsource(import_module(MODULES[verb])))
    return any(
        isinstance(node, ast.Attribute) and node.attr == attribute and ast.unparse(node.value) == "request"
        for node in ast.walk(tree)
    )


def incomplete(row: Route) -> list[str]:
    """What is missing in a row for what its function does."""
    missing = []
    if mentions(row.verb, "caller") and row.scope is None:
        missing.append("scope")
    if (mentions(row.verb, "dialect") or mentions(row.verb, "dialect_of")) and row.dialect is None:
        missing.append("dialect")
    if row.dialect is not None and row.dialect not in APIS:
        missing.append("a known dialect")
    return missing


@pytest.mark.parametrize("row", ROUTES.values(), ids=lambda row: row.name)
def test_a_row_has_all_that_its_function_needs(row: Route) -> None:
    assert incomplete(row) == []


def test_what_is_missing_in_a_row_is_found() -> None:
    whole = ROUTES["GET /v1/jobs/{id}"]

    assert incomplete(whole._replace(scope=None)) == ["scope"]
    assert incomplete(whole._replace(dialect=None)) == ["dialect"]
    assert incomplete(whole._replace(dialect="klingon")) == ["a known dialect"]


@pytest.mark.parametrize("name", APIS)
def test_every_api_of_the_table_is_there_and_its_errors_have_a_shape(name: str) -> None:
    assert isinstance(spoken(name), SpokenApi)
    assert spoken(name).shapes


def test_a_stored_job_has_an_api_to_be_told_of_in() -> None:
    assert FAMILIES.keys() <= APIS.keys()


def test_an_unknown_api_is_not_spoken() -> None:
    with pytest.raises(KeyError):
        spoken("klingon")


def test_a_function_knows_what_the_gate_of_its_routes_asks_for() -> None:
    """Its environment is made from its settings, and the gate reads the same one."""
    settings = {function.verb: function.settings.model_fields for function in functions()}
    for row in ROUTES.values():
        assert row.scope is None or "table" in settings[row.verb], row
        assert not names_the_page(row) or "api_url" in settings[row.verb], row


def names_the_page(row: Route) -> bool:
    asked: list[str] = []

    def api_url() -> str:
        asked.append(row.name)
        return API_URL

    dialect = row.dialect or dialect_around(row.path)
    if dialect is not None:
        spoken(dialect).render_error(NotFound(), api_url)
    return bool(asked)


def test_a_handler_finds_the_caller_and_none_where_no_key_is_asked_for(
    world: World, customer: Customer
) -> None:
    def tell(request: Request, _: None) -> Answer:
        return Answer(200, {"account": request.caller.account_id})

    handler = replace(Endpoint(lambda: None, tell), gate=gate_of(world))
    asked = event("http_get_wallet")
    asked["headers"]["authorization"] = f"Bearer {customer.key}"

    told = handler(asked, LambdaContext(world.clock))
    of_health = Request(event("http_get_health"), lambda: 0)

    assert customer.account_id in told["body"]
    with pytest.raises(LookupError, match="asks for no key"):
        _ = of_health.caller
    with pytest.raises(LookupError):
        _ = of_health.dialect


def test_nothing_is_built_for_a_caller_who_is_refused(world: World) -> None:
    built: list[Any] = []
    handler = Endpoint(lambda: built.append(1), lambda *_: Answer(200, None))
    gated = replace(handler, gate=gate_of(world))

    answer = gated(event("http_get_wallet"), LambdaContext(world.clock))

    assert (answer["statusCode"], built) == (401, [])


def test_what_is_begun_ahead_is_begun_before_the_key_is_looked_up(api: Api, customer: Customer) -> None:
    calls: list[str] = []
    api.world.network.calls.clear()
    submitting = api.use_cases["submit_job"]
    api.use_cases["submit_job"] = lambda: replace(
        submitting(), read_ahead=lambda: calls.extend(["ahead", *api.world.network.calls])
    )

    assert api.call("http_post_generate", customer).status == 202
    assert calls == ["ahead"]
    assert "keys.admit" in api.world.network.calls


@pytest.mark.parametrize(
    ("path", "dialect"),
    [
        ("/api/v1/videos/vid_1/scenes", "video"),
        ("/api/v1/webhooks/wh_1/a/b", "video"),
        ("/api/v1/credits/", "video"),
        ("/api/v1/videosx", None),
        ("/v2/videos", None),
        ("/", None),
        ("", None),
    ],
)
def test_an_address_there_is_not_belongs_to_what_is_spoken_around_it(path: str, dialect: str | None) -> None:
    assert dialect_around(path) == dialect
