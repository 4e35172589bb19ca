"""The HTTP API and the names by which others find the stack's parts."""

from __future__ import annotations

import json

from shoal.handlers.http.routes import ROUTES
from tests.infra.template import Template, text

LEADS_TO = {
    "ANY /v1/generate": "SubmitJob",
    "ANY /api/v1/image": "SubmitJob",
    "ANY /v1/jobs/{id}": "ReadJob",
    "ANY /api/v1/jobs/{id}": "ReadJob",
    "ANY /v1/jobs/{id}/cancel": "CancelJob",
    "ANY /api/v1/jobs/{id}/cancel": "CancelJob",
    "ANY /v1/tasks/{id}/cancel": "CancelJob",
    "ANY /v1/tasks/{id}": "ReadJob",
    "ANY /v1/tasks": "ListJobs",
    "ANY /v1/models": "ReadModels",
    "ANY /v1/models/{id+}": "ReadModels",
    "ANY /v1/quote": "QuoteJob",
    "ANY /v1/files": "ManageFiles",
    "ANY /v1/files/{id}": "ManageFiles",
    "ANY /mcp": "ServeMcp",
    "ANY /v1/usage/summary": "SummarizeUsage",
    "ANY /v1/wallet": "ReadWallet",
    "ANY /api/v1/wallet": "ReadWallet",
    "ANY /v1/usage": "ListJobs",
    "ANY /api/v1/usage": "ListJobs",
    "POST /api/v1/videos": "SubmitJob",
    "ANY /api/v1/videos": "ListJobs",
    "ANY /api/v1/videos/{id}": "ReadJob",
    "ANY /api/v1/videos/{id}/cancel": "CancelJob",
    "ANY /api/v1/credits": "ReadWallet",
    "ANY /api/v1/webhooks": "ManageWebhooks",
    "ANY /api/v1/webhooks/{id}": "ManageWebhooks",
    "ANY /api/v1/webhooks/{id}/rotate": "ManageWebhooks",
    "ANY /api/v1/webhooks/{id}/test": "ManageDeliveries",
    "ANY /api/v1/webhooks/{id}/recover": "ManageDeliveries",
    "ANY /api/v1/webhooks/{id}/deliveries": "ManageDeliveries",
    "ANY /api/v1/webhooks/{id}/deliveries/{delivery_id}/resend": "ManageDeliveries",
    "ANY /v1/webhook-secret": "ManageWebhookSecret",
    "ANY /v1/webhook-secret/rotate": "ManageWebhookSecret",
    "ANY /callbacks/{provider}/{job}/{mac}": "ReceiveCallback",
    "ANY /docs/api": "ReadDocument",
    "ANY /llms.txt": "ReadDocument",
    "ANY /docs/events": "ReadDocument",
    "ANY /docs/events.md": "ReadDocument",
    "ANY /api/v1/asyncapi.json": "ReadDocument",
    "ANY /docs/llms.txt": "ReadDocument",
    "ANY /api/v1/openapi.json": "ReadDocument",
    "ANY /.well-known/openapi.json": "ReadDocument",
    "ANY /stripe/webhook": "ReceivePayment",
    "ANY /dashboard": "ShowDashboard",
    "ANY /dashboard/{path+}": "ShowDashboard",
    "ANY /dashboard/operate": "Operate",
    "ANY /dashboard/operate/{path+}": "Operate",
    "ANY /dashboard/top-up": "TopUp",
    "ANY /healthz": "ReadHealth",
    "$default": "RejectRoute",
}


def test_every_route_leads_to_its_function(template: Template) -> None:
    integrations = {
        id_: text(resource["Properties"]["IntegrationUri"])
        for id_, resource in template.of_type("AWS::ApiGatewayV2::Integration").items()
    }
    routes = {
        route["RouteKey"]: integrations[route["Target"]["Fn::Join"][1][1]["Ref"]]
        for route in template.properties("AWS::ApiGatewayV2::Route")
    }
    assert routes == {key: template.called(camel) for key, camel in LEADS_TO.items()}
    assert len(routes) == len(template.of_type("AWS::ApiGatewayV2::Route"))


def test_a_path_has_one_key_but_where_its_methods_lead_to_two_functions(template: Template) -> None:
    keys = [route["RouteKey"] for route in template.properties("AWS::ApiGatewayV2::Route")]
    paths = {path for _, space, path in (route.partition(" ") for route in ROUTES) if space}

    assert sorted(keys) == sorted([*(f"ANY {path}" for path in paths), "POST /api/v1/videos", "$default"])


def test_each_function_may_be_invoked_by_this_api_by_one_permission(template: Template) -> None:
    api = "arn:<AWS::Partition>:execute-api:<AWS::Region>:<AWS::AccountId>:<ApiHttpApi>"
    permissions = [
        (text(permission["FunctionName"]), text(permission["SourceArn"]))
        for permission in template.properties("AWS::Lambda::Permission")
        if permission["Principal"] == "apigateway.amazonaws.com"
    ]
    # The source of a request that no route matches is `<stage>/$default`, without a path.
    assert sorted(permissions) == sorted(
        (template.called(camel), f"{api}/*/*" if camel == "RejectRoute" else f"{api}/*/*/*")
        for camel in set(LEADS_TO.values())
    )


def test_one_throttled_default_stage_logs_each_request_as_json(template: Template) -> None:
    stage = template.one("AWS::ApiGatewayV2::Stage")
    assert stage["StageName"] == "$default"
    assert stage["AutoDeploy"] is True
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] == template.stage.api_rate_limit
    assert stage["DefaultRouteSettings"]["ThrottlingBurstLimit"] == template.stage.api_burst_limit
    log = json.loads(stage["AccessLogSettings"]["Format"])
    assert {"request_id", "route", "status", "latency_ms"} <= log.keys()


def test_the_access_log_holds_no_path_because_a_callbacks_path_is_a_signature(template: Template) -> None:
    log = template.one("AWS::ApiGatewayV2::Stage")["AccessLogSettings"]["Format"]
    assert "$context.path" not in log
    assert "authorization" not in log.lower()


def test_browsers_of_other_origins_are_let_in_nowhere(template: Template) -> None:
    assert "CorsConfiguration" not in template.one("AWS::ApiGatewayV2::Api")


def test_the_local_cloud_is_told_the_apis_id(local: Template, dev: Template) -> None:
    assert local.one("AWS::ApiGatewayV2::Api")["Tags"] == {"ms-custom-id": "shoallocal"}
    assert "Tags" not in dev.one("AWS::ApiGatewayV2::Api")


def test_the_stack_tells_where_its_parts_are(dev: Template, local: Template) -> None:
    outputs = {key: text(output["Value"]) for key, output in dev.content["Outputs"].items()}
    assert outputs == {
        "StageKind": "dev",
        "ApiUrl": "<ApiHttpApi.ApiEndpoint>",
        "EventBusName": "<Bus>",
        "EventBusArn": "<Bus.Arn>",
        "SchemaRegistryArn": "<EventSchemasRegistry.RegistryArn>",
        "TableName": "<StorageTable>",
        "OutputsBucketName": "<StorageOutputs>",
        "CatalogBucketName": "<StorageCatalog>",
        "StagingBucketName": "<StorageStaging>",
        "VideosBucketName": "<StorageVideos>",
        "SignedUrlSeconds": "3600",
        "StateMachineArn": "<WorkflowGenerate>",
        "PollQueueUrl": "<QueuesPoll>",
        "SimulatedPollQueueUrl": "<QueuesSimulatedPoll>",
        "CallbackSecretArn": "<CallbackSecret>",
        "PublicUrl": "https://<StorageCdn.DomainName>",
        "KeylessProviders": "embedded,simulator,polly",
        "ProviderBaseUrls": "{}",
        "StripeUrl": "https://api.stripe.com",
        "GrantCapUsd": "0",
        "GrantCapCredits": "0",
        "DashboardUrl": "<ApiHttpApi.ApiEndpoint>/dashboard",
        "UserPoolId": "<IdentityPool>",
    }
    assert local.content["Outputs"].keys() == outputs.keys() - {"SchemaRegistryArn"}
    for key in ("ApiUrl", "PublicUrl"):
        assert local.content["Outputs"][key]["Value"] == "http://localhost:8787"
