"""Names of the stage's own, which stay the same when what stands behind them is made again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from aws_cdk import CfnOutput
from aws_cdk import aws_apigatewayv2 as apigatewayv2
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_route53 as route53
from constructs import Construct

from ..stage import Stage

CLOUDFRONT_ZONE = "Z2FDTNDATAQYW2"
"""The zone of every distribution (Route 53 API Reference, `AliasTarget`)."""


class ApiDomain(Construct):
    """The stage's name before its API. `target` and `zone` are where its record leads."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        certificate_arn: str,
        api: apigatewayv2.HttpApi,
        stage: apigatewayv2.CfnStage,
    ) -> None:
        super().__init__(scope, id_)
        domain = apigatewayv2.CfnDomainName(
            self,
            "Name",
            domain_name=name,
            domain_name_configurations=[
                apigatewayv2.CfnDomainName.DomainNameConfigurationProperty(
                    certificate_arn=certificate_arn, endpoint_type="REGIONAL", security_policy="TLS_1_2"
                )
            ],
        )
        apigatewayv2.CfnApiMapping(
            self, "Mapping", api_id=api.api_id, domain_name=domain.ref, stage=stage.ref
        )
        self.target, self.zone = domain.attr_regional_domain_name, domain.attr_regional_hosted_zone_id


class Names(TypedDict, total=False):
    """The parameters of a distribution that are about its name."""

    domain_names: Sequence[str]
    certificate: acm.ICertificate
    minimum_protocol_version: cloudfront.SecurityPolicyProtocol


def names_of(scope: Construct, name: str | None, certificate_arn: str | None) -> Names:
    """What a distribution is given for a name of its own; nothing where it has none."""
    if name is None or certificate_arn is None:
        return {}
    return {
        "domain_names": [name],
        "certificate": acm.Certificate.from_certificate_arn(scope, "Certificate", certificate_arn),
        "minimum_protocol_version": cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021,
    }


def lead(scope: Construct, id_: str, *, stage: Stage, name: str, target: str, zone: str) -> None:
    """Set the name's record in the stage's zone; tell where to lead it where the stage names no zone."""
    if stage.hosted_zone_id is None:
        CfnOutput(scope, f"{id_}Target", value=target, description=f"Set {name} as a CNAME of this")
        return
    route53.CfnRecordSet(
        scope,
        f"{id_}Record",
        hosted_zone_id=stage.hosted_zone_id,
        name=name,
        type="A",
        alias_target=route53.CfnRecordSet.AliasTargetProperty(dns_name=target, hosted_zone_id=zone),
    )
