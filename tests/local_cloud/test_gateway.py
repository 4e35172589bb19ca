"""The mends of the HTTP API."""

import requests

from tests.local_cloud.lab import Lab

CRASHES = """
def handler(event, context): raise RuntimeError("a secret of the inside")
"""


def test_a_crashed_function_tells_the_caller_nothing(lab: Lab) -> None:
    gateway = lab.endpoint.client("apigatewayv2")
    api = gateway.create_api(Name="lab", ProtocolType="HTTP")["ApiId"]
    integration = gateway.create_integration(
        ApiId=api,
        IntegrationType="AWS_PROXY",
        IntegrationUri=lab.function(CRASHES),
        PayloadFormatVersion="2.0",
    )["IntegrationId"]
    gateway.create_route(ApiId=api, RouteKey="$default", Target=f"integrations/{integration}")
    gateway.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)

    answer = requests.get(f"{lab.endpoint.url}/_aws/execute-api/{api}/$default/any", timeout=10)

    assert answer.status_code == 500
    assert answer.json() == {"message": "Internal Server Error"}
