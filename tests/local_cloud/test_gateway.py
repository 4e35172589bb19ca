"""The mends of the HTTP API."""

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


def address_of(lab: Lab, code: str) -> str:
    """Where an API with this one function answers."""
    gateway = lab.endpoint.client("apigatewayv2")
    api = gateway.create_api(Name="lab", ProtocolType="HTTP")["ApiId"]
    integration = gateway.create_integration(
        ApiId=api,
        IntegrationType="AWS_PROXY",
        IntegrationUri=lab.function(code),
        PayloadFormatVersion="2.0",
    )["IntegrationId"]
    gateway.create_route(ApiId=api, RouteKey="$default", Target=f"integrations/{integration}")
    gateway.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
    return f"{lab.endpoint.url}/_aws/execute-api/{api}/$default/any"


def test_cookies_have_a_place_of_their_own(lab: Lab) -> None:
    answer = requests.get(address_of(lab, SHOWS_COOKIES), headers={"Cookie": "a=1; b=2=3"}, timeout=10)
    assert answer.json() == [["a=1", "b=2=3"], False]


def test_without_cookies_there_is_no_list(lab: Lab) -> None:
    assert requests.get(address_of(lab, SHOWS_COOKIES), timeout=10).json() == [None, False]


def test_a_crashed_function_tells_the_caller_nothing(lab: Lab) -> None:
    answer = requests.get(address_of(lab, CRASHES), timeout=10)

    assert answer.status_code == 500
    assert answer.json() == {"message": "Internal Server Error"}
