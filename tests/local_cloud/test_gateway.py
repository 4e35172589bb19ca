"""The patches of the HTTP API, and how it finds routes."""

import json

import pytest
import requests

from tests.local_cloud.lab import Lab

CRASHES = """
def handler(event, context): raise RuntimeError("a secret of the inside")
"""

SHOWS_COOKIES = """
import json
def handler(event, context):
    headers = sorted(event["headers"])
    return {"statusCode": 200, "body": json.dumps([event.get("cookies"), "cookie" in headers])}
"""

SHOWS_ROUTE = """
import json
def handler(event, context):
    seen = [event["routeKey"], event["requestContext"]["http"]["method"], event.get("pathParameters") or {}]
    return {"statusCode": 200, "headers": {"X-Seen": json.dumps(seen)}, "body": json.dumps(seen)}
"""


def api_of(lab: Lab, code: str, *keys: str, **more: object) -> str:
    """The root of an API with this one function behind these keys."""
    gateway = lab.endpoint.client("apigatewayv2")
    api = gateway.create_api(Name="lab", ProtocolType="HTTP", **more)["ApiId"]
    integration = gateway.create_integration(
        ApiId=api,
        IntegrationType="AWS_PROXY",
        IntegrationUri=lab.function(code),
        PayloadFormatVersion="2.0",
    )["IntegrationId"]
    for key in keys:
        gateway.create_route(ApiId=api, RouteKey=key, Target=f"integrations/{integration}")
    gateway.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
    return f"{lab.endpoint.url}/_aws/execute-api/{api}/$default"


def address_of(lab: Lab, code: str) -> str:
    """Where an API with this one function answers."""
    return api_of(lab, code, "$default") + "/any"


def test_cookies_have_a_place_of_their_own(lab: Lab) -> None:
    answer = requests.get(address_of(lab, SHOWS_COOKIES), headers={"Cookie": "a=1; b=2=3"}, timeout=10)
    assert answer.json() == [["a=1", "b=2=3"], False]


def test_without_cookies_there_is_no_list(lab: Lab) -> None:
    assert requests.get(address_of(lab, SHOWS_COOKIES), timeout=10).json() == [None, False]


def test_a_crashed_function_tells_the_caller_nothing(lab: Lab) -> None:
    answer = requests.get(address_of(lab, CRASHES), timeout=10)

    assert answer.status_code == 500
    assert answer.json() == {"message": "Internal Server Error"}


KEYS = ("$default", "ANY /things", "POST /things", "ANY /things/{id+}", "ANY /things/{id}/parts")


@pytest.mark.parametrize(
    ("method", "path", "key", "parameters"),
    [
        ("GET", "/things", "ANY /things", {}),
        ("HEAD", "/things", "ANY /things", {}),
        ("POST", "/things", "POST /things", {}),
        ("POST", "/things/1", "ANY /things/{id+}", {"id": "1"}),
        ("GET", "/things/a/b", "ANY /things/{id+}", {"id": "a/b"}),
        ("GET", "/things/a%2Fb", "ANY /things/{id+}", {"id": "a/b"}),
        ("GET", "/things/a%20b", "ANY /things/{id+}", {"id": "a b"}),
        ("GET", "/things/100%25", "ANY /things/{id+}", {"id": "100%25"}),
        ("GET", "/things/1/parts", "ANY /things/{id}/parts", {"id": "1"}),
        ("GET", "/things/", "$default", {}),
        ("DELETE", "/", "$default", {}),
    ],
)
def test_the_best_key_gets_the_request_with_its_path_decoded(
    lab: Lab, method: str, path: str, key: str, parameters: dict[str, str]
) -> None:
    answer = requests.request(method, api_of(lab, SHOWS_ROUTE, *KEYS) + path, timeout=10)

    assert json.loads(answer.headers["X-Seen"]) == [key, method, parameters]


@pytest.mark.parametrize(("path", "key"), [("/things", "ANY /things"), ("/nowhere", "$default")])
def test_options_is_a_method_like_any_other(lab: Lab, path: str, key: str) -> None:
    preflight = {"Origin": lab.endpoint.url, "Access-Control-Request-Method": "POST"}
    answer = requests.options(api_of(lab, SHOWS_ROUTE, *KEYS) + path, headers=preflight, timeout=10)

    assert (answer.status_code, answer.json()[:2]) == (200, [key, "OPTIONS"])


def test_with_cors_the_gateway_answers_a_preflight(lab: Lab) -> None:
    cors = {"AllowOrigins": [lab.endpoint.url], "AllowMethods": ["POST"]}
    preflight = {"Origin": lab.endpoint.url, "Access-Control-Request-Method": "POST"}
    root = api_of(lab, SHOWS_ROUTE, *KEYS, CorsConfiguration=cors)

    answer = requests.options(f"{root}/things", headers=preflight, timeout=10)

    assert (answer.status_code, answer.text) == (204, "")
    assert answer.headers["Access-Control-Allow-Origin"] == lab.endpoint.url
