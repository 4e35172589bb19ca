"""The HTTP API and the names by which others find the stack's parts."""

from __future__ import annotations

import json

from shoal.handlers.http.routes import ROUTES
from tests.infra.template import Template, text

DOCUMENTED = {
    "POST /v1/generate": "SubmitJob",
    "POST /api/v1/image": "SubmitJob",
    "GET /v1/jobs/{id}": "ReadJob",
    "GET /api/v1/jobs/{id}": "ReadJob",
    "POST /v1/jobs/{id}/cancel": "CancelJob",
    "POST /api/v1/jobs/{id}/cancel": "CancelJob",
    "POST /v1/tasks/{id}/cancel": "CancelJob",
    "GET /v1/tasks/{id}": "ReadTask",
    "GET /v1/tasks": "ListTasks",
    "GET /v1/models": "ReadModels",
    "GET /v1/models/{id}": "ReadModels",
    "POST /v1/quote": "QuoteJob",
    "POST /mcp": "ServeMcp",
    "GET /v1/usage/summary": "SummarizeUsage",
    "GET /v1/wallet": "ReadWallet",
    "GET /api/v1/wallet": "ReadWallet",
    "GET /v1/usage": "ListJobs",
    "GET /api/v1/usage": "ListJobs",
    "POST /api/v1/videos": "SubmitJob",
    "GET /api/v1/videos/{id}": "ReadVideo",
    "GET /api/v1/videos": "ListVideos",
    "POST /api/v1/videos/{id}/cancel": "CancelJob",
    "GET /api/v1/credits": "ReadWallet",
    "POST /api/v1/webhooks": "ManageWebhooks",
    "GET /api/v1/webhooks": "ManageWebhooks",
    "GET /api/v1/webhooks/{id}": "ManageWebhooks",
    "PATCH /api/v1/webhooks/{id}": "ManageWebhooks",
    "DELETE /api/v1/webhooks/{id}": "ManageWebhooks",
    "POST /api/v1/webhooks/{id}/rotate": "ManageWebhooks",
    "POST /api/v1/webhooks/{id}/test": "ManageDeliveries",
    "POST /api/v1/webhooks/{id}/recover": "ManageDeliveries",
    "GET /api/v1/webhooks/{id}/deliveries": "ManageDeliveries",
    "POST /api/v1/webhooks/{id}/deliveries/{delivery_id}/resend": "ManageDeliveries",
    "GET /v1/webhook-secret": "ManageWebhookSecret",
    "POST /v1/webhook-secret": "ManageWebhookSecret",
    "POST /v1/webhook-secret/rotate": "ManageWebhookSecret",
    "POST /callbacks/{provider}/{job}/{mac}": "ReceiveCallback",
    "GET /docs/api": "ReadDocument",
    "GET /llms.txt": "ReadDocument",
    "GET /docs/llms.txt": "ReadDocument",
    "GET /api/v1/openapi.json": "ReadDocument",
    "GET /.well-known/openapi.json": "ReadDocument",
    "POST /stripe/webhook": "ReceivePayment",
    "GET /dashboard": "ShowDashboard",
    "GET /dashboard/{path+}": "ShowDashboard",
    "POST /dashboard/{path+}": "ShowDashboard",
    "GET /dashboard/operate": "Operate",
    "GET /dashboard/operate/{path+}": "Operate",
    "POST /dashboard/operate/{path+}": "Operate",
    "GET /dashboard/top-up": "TopUp",
    "POST /dashboard/top-up": "TopUp",
    "GET /healthz": "ReadHealth",
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
    assert ROUTES.keys() == DOCUMENTED.keys()
    assert routes == {key: f"<Functions{camel}.Arn>" for key, camel in DOCUMENTED.items()}


def test_each_function_may_be_invoked_by_its_own_routes(dev: Template) -> None:
    api = "arn:<AWS::Partition>:execute-api:<AWS::Region>:<AWS::AccountId>:<ApiHttpApi>"
    invoked = {
        (text(permission["FunctionName"]), text(permission["SourceArn"]))
        for permission in dev.properties("AWS::Lambda::Permission")
        if permission["Principal"] == "apigateway.amazonaws.com"
    }
    # The source of a request that no route matches is `<stage>/$default`, without a path.
    assert invoked == {
        (f"<Functions{camel}.Arn>", f"{api}/*/*{'' if key == '$default' else key.split(' ')[1]}")
        for key, camel in DOCUMENTED.items()
    }


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
        "TableName": "<StorageTable>",
        "OutputsBucketName": "<StorageOutputs>",
        "StagingBucketName": "<StorageStaging>",
        "VideosBucketName": "<StorageVideos>",
        "SignedUrlSeconds": "3600",
        "StateMachineArn": "<WorkflowGenerate>",
        "PollQueueUrl": "<QueuesPoll>",
        "CallbackSecretArn": "<CallbackSecret>",
        "PublicUrl": "https://<StorageCdn.DomainName>",
        "KeylessProviders": "embedded,simulator",
        "ProviderBaseUrls": "{}",
        "StripeUrl": "https://api.stripe.com",
        "DashboardUrl": "<ApiHttpApi.ApiEndpoint>/dashboard",
        "UserPoolId": "<IdentityPool>",
    }
    assert local.content["Outputs"].keys() == outputs.keys()
    for key in ("ApiUrl", "PublicUrl"):
        assert local.content["Outputs"][key]["Value"] == "http://localhost:8787"
