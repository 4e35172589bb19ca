"""The HTTP API: routes to functions, throttled, with one JSON line per request in its log."""

from __future__ import annotations

import json
from collections.abc import Sequence

from aws_cdk import ArnFormat, Duration, Stack, Tags
from aws_cdk import aws_apigatewayv2 as apigatewayv2
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from ..nag import accept
from ..stage import Stage
from .domain import ApiDomain

ACCESS_LOG = {
    "request_id": "$context.requestId",
    "time": "$context.requestTime",
    "source_ip": "$context.identity.sourceIp",
    "method": "$context.httpMethod",
    "route": "$context.routeKey",
    "status": "$context.status",
    "response_bytes": "$context.responseLength",
    "latency_ms": "$context.responseLatency",
    "integration_status": "$context.integrationStatus",
    "integration_error": "$context.integrationErrorMessage",
}
"""The route and the method, not the path: a callback's path holds its signature."""
DEFAULT = "$default"
MCP_HEADERS = ("mcp-protocol-version", "mcp-method", "mcp-name")
"""What a client of the Model Context Protocol sends with a message (revision 2026-07-28)."""


class Api(Construct):
    """The API, without CORS unless the stage names origins: a key has no business in a web page.

    It is made before its functions, because they are told its URL; `route` then ties them to it.
    """

    def __init__(self, scope: Construct, id_: str, *, stage: Stage) -> None:
        super().__init__(scope, id_)
        self.http_api = apigatewayv2.HttpApi(
            self,
            "HttpApi",
            api_name=stage.prefix,
            description="Shoal",
            create_default_stage=False,
            cors_preflight=_cors(stage) if stage.cors_origins else None,
            # With a name of its own it answers to that alone: what stands before the name can't be passed.
            disable_execute_api_endpoint=stage.domain is not None or None,
        )
        own = f"https://{stage.domain}" if stage.domain else self.http_api.api_endpoint
        self.url = stage.local_url or own
        if stage.local_url is not None:
            # MiniStack takes the API's id from this tag, so that the local front knows it beforehand.
            Tags.of(self.http_api).add("ms-custom-id", f"shoal{stage.name}")
        deployed = self._stage(stage)
        self.domain = (
            ApiDomain(
                self,
                "Domain",
                name=stage.domain,
                certificate_arn=stage.certificate_arn,
                api=self.http_api,
                stage=deployed,
            )
            if stage.domain is not None and stage.certificate_arn is not None
            else None
        )

    def _stage(self, stage: Stage) -> apigatewayv2.CfnStage:
        log_group = logs.LogGroup(
            self,
            "AccessLog",
            log_group_name=f"/aws/vendedlogs/{stage.prefix}/api",
            retention=stage.log_retention,
            removal_policy=stage.removal_policy,
        )
        return apigatewayv2.CfnStage(
            self,
            "Stage",
            api_id=self.http_api.api_id,
            stage_name="$default",
            auto_deploy=True,
            default_route_settings=apigatewayv2.CfnStage.RouteSettingsProperty(
                throttling_rate_limit=stage.api_rate_limit,
                throttling_burst_limit=stage.api_burst_limit,
            ),
            access_log_settings=apigatewayv2.CfnStage.AccessLogSettingsProperty(
                destination_arn=Stack.of(self).format_arn(
                    service="logs",
                    resource="log-group",
                    resource_name=log_group.log_group_name,
                    arn_format=ArnFormat.COLON_RESOURCE_NAME,
                ),
                format=json.dumps(ACCESS_LOG),
            ),
        )

    def route(self, name: str, function: lambda_.IFunction, *, keys: Sequence[str]) -> None:
        """Send what matches one of the route keys (`ANY /healthz`, `$default`) to the function.

        One permission lets this API call it, by whatever path. That of `$default` is the route's own: the
        source of a request that no route matches is `<stage>/$default`, without a path.
        """
        integration = integrations.HttpLambdaIntegration(
            name, function, scope_permission_to_route=DEFAULT in keys
        )
        for key in keys:
            route = apigatewayv2.HttpRoute(
                self,
                # Named by its key alone: a route that moves to another function is updated in place, and one
                # that is added renames no other, whose key it could meet while both are there.
                f"Route {key.replace('/', '-')}",
                http_api=self.http_api,
                route_key=_route_key(key),
                integration=integration,
            )
            accept(
                route,
                "AwsSolutions-APIG4",
                because="The function checks the key and its rate in one conditional write.",
            )


def _cors(stage: Stage) -> apigatewayv2.CorsPreflightOptions:
    methods = (apigatewayv2.CorsHttpMethod.GET, apigatewayv2.CorsHttpMethod.POST)
    return apigatewayv2.CorsPreflightOptions(
        allow_origins=list(stage.cors_origins),
        allow_methods=[*methods, apigatewayv2.CorsHttpMethod.PATCH, apigatewayv2.CorsHttpMethod.DELETE],
        allow_headers=[
            "authorization",
            "content-type",
            "idempotency-key",
            "prefer",
            "if-none-match",
            "traceparent",
            *MCP_HEADERS,
        ],
        expose_headers=[
            "x-request-id",
            "ratelimit",
            "ratelimit-policy",
            "retry-after",
            "idempotent-replayed",
            "preference-applied",
            "next-cursor",
            "allow",
            "etag",
        ],
        max_age=Duration.hours(1),
    )


def _route_key(key: str) -> apigatewayv2.HttpRouteKey:
    if key == DEFAULT:
        return apigatewayv2.HttpRouteKey.DEFAULT
    method, path = key.split(" ")
    return apigatewayv2.HttpRouteKey.with_(path, apigatewayv2.HttpMethod(method))
