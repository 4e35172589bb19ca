"""A web application firewall before the API, for stages that want one."""

from __future__ import annotations

from aws_cdk import Fn, Stack, Token
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

from shoal.handlers.http.endpoint import FRONT_HEADER

from ..nag import accept
from ..stage import InvalidStage, Stage
from .domain import names_of

REGION = "us-east-1"
"""Where web ACLs for CloudFront live (AWS WAF Developer Guide, "How AWS WAF works with CloudFront")."""
MANAGED = ("AWSManagedRulesAmazonIpReputationList", "AWSManagedRulesKnownBadInputsRuleSet")
"""Known bad addresses, and exploits of known holes. The common rule set is not among them: it takes prompts
that speak of code for attacks, and refuses bodies of more than 8 kB."""


def front_token(scope: Construct) -> str:
    """By which functions know that a request came through the distribution: of the stack, and told nobody."""
    return Fn.select(2, Fn.split("/", Stack.of(scope).stack_id))


class Guard(Construct):
    """A CloudFront distribution with a web ACL before the API: AWS WAF takes no HTTP API by itself.

    `origin`: the host of the API, as CloudFront reaches it.

    Raises `InvalidStage` in another region than us-east-1.
    """

    def __init__(self, scope: Construct, id_: str, *, stage: Stage, origin: str, requests_max: int) -> None:
        super().__init__(scope, id_)
        region = Stack.of(self).region
        if not Token.is_unresolved(region) and region != REGION:
            raise InvalidStage(f"the firewall needs a stage in {REGION}, and this one is in {region}")
        acl = wafv2.CfnWebACL(
            self,
            "WebAcl",
            # As global as CloudFront, although they all live in one region.
            name=f"{stage.prefix}-{region}",
            scope="CLOUDFRONT",
            default_action={"allow": {}},
            visibility_config=_visibility(stage.prefix),
            rules=[_rate_rule(requests_max), *(_managed_rule(n, name) for n, name in enumerate(MANAGED, 1))],
        )
        self.distribution = cloudfront.Distribution(
            self,
            "Front",
            comment="Shoal API behind a firewall",
            web_acl_id=acl.attr_arn,
            default_behavior=cloudfront.BehaviorOptions(
                origin=origins.HttpOrigin(
                    origin,
                    custom_headers={FRONT_HEADER: front_token(self)},
                ),
                viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.HTTPS_ONLY,
                allowed_methods=cloudfront.AllowedMethods.ALLOW_ALL,
                cache_policy=cloudfront.CachePolicy.CACHING_DISABLED,
                # The gateway knows its API by the name that it has, or by its own.
                origin_request_policy=cloudfront.OriginRequestPolicy.ALL_VIEWER
                if stage.domain
                else cloudfront.OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
            ),
            **names_of(self, stage.domain, stage.certificate_arn),
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
        )
        self._accept()

    def _accept(self) -> None:
        front = self.distribution
        accept(front, "AwsSolutions-CFR1", because="The API is sold everywhere.")
        accept(front, "AwsSolutions-CFR3", because="API Gateway logs every request that passes.")
        accept(front, "AwsSolutions-CFR4", because="CloudFront's default certificate fixes the policy.")


def _rate_rule(requests_max: int) -> wafv2.CfnWebACL.RuleProperty:
    """Block an address while it sends more than so many requests in five minutes."""
    return wafv2.CfnWebACL.RuleProperty(
        name="rate",
        priority=0,
        action={"block": {}},
        statement={"rateBasedStatement": {"limit": requests_max, "aggregateKeyType": "IP"}},
        visibility_config=_visibility("rate"),
    )


def _managed_rule(priority: int, name: str) -> wafv2.CfnWebACL.RuleProperty:
    return wafv2.CfnWebACL.RuleProperty(
        name=name,
        priority=priority,
        override_action={"none": {}},
        statement={"managedRuleGroupStatement": {"vendorName": "AWS", "name": name}},
        visibility_config=_visibility(name),
    )


def _visibility(name: str) -> wafv2.CfnWebACL.VisibilityConfigProperty:
    return wafv2.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=name, sampled_requests_enabled=False
    )
