"""A stage with names of its own: they are all that callers, providers and links are told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.infra.stages import PROD
from tests.infra.template import Template, synthesized

API, FILES = "https://api.example.com", "https://files.example.com"


@pytest.fixture(scope="module")
def zoned(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """Behind a firewall, and in a zone that sets the names."""
    stage = replace(PROD, hosted_zone_id="Z0123456789", waf_requests_max=2000)
    return synthesized(stage, tmp_path_factory.mktemp("zoned"))


def addresses(template: Template) -> Iterator[tuple[str, str]]:
    """What every function is told of addresses, as it stands in the template."""
    for function in template.properties("AWS::Lambda::Function"):
        variables = function.get("Environment", {}).get("Variables", {})
        for name in ("SHOAL_API_URL", "SHOAL_CALLBACKS_URL", "SHOAL_PUBLIC_URL"):
            if name in variables:
                yield name, json.dumps(variables[name])


def test_functions_are_told_of_the_names_alone(prod: Template, zoned: Template) -> None:
    """So links, callbacks and addresses of pictures survive a rebuild, which generates others."""
    expected = {"SHOAL_API_URL": API, "SHOAL_CALLBACKS_URL": API, "SHOAL_PUBLIC_URL": FILES}
    for template in (prod, zoned):
        assert set(addresses(template)) == {(name, f'"{url}"') for name, url in expected.items()}
    outputs = prod.content["Outputs"]
    assert (outputs["ApiUrl"]["Value"], outputs["DashboardUrl"]["Value"]) == (API, f"{API}/dashboard")
    assert outputs["PublicUrl"]["Value"] == FILES


def test_the_addresses_that_aws_makes_are_closed_or_told_nobody(prod: Template, dev: Template) -> None:
    assert prod.one("AWS::ApiGatewayV2::Api")["DisableExecuteApiEndpoint"] is True
    assert "DisableExecuteApiEndpoint" not in dev.one("AWS::ApiGatewayV2::Api"), "it has no other address"
    assert dev.properties("AWS::ApiGatewayV2::DomainName") == []
    assert any("ApiEndpoint" in text or "execute-api" in text for _, text in addresses(dev))


def test_the_api_has_its_name_with_the_certificate_of_the_file(prod: Template) -> None:
    domain = prod.one("AWS::ApiGatewayV2::DomainName")
    (configuration,) = domain["DomainNameConfigurations"]
    assert domain["DomainName"] == "api.example.com"
    assert configuration["CertificateArn"] == PROD.certificate_arn
    assert configuration["SecurityPolicy"] == "TLS_1_2"
    mapping = prod.one("AWS::ApiGatewayV2::ApiMapping")
    assert "ApiMappingKey" not in mapping, "the name leads to the API's root"


def test_the_cdn_has_its_name_and_no_old_tls(prod: Template) -> None:
    config = prod.one("AWS::CloudFront::Distribution")["DistributionConfig"]
    assert config["Aliases"] == ["files.example.com"]
    assert config["ViewerCertificate"]["AcmCertificateArn"] == PROD.files_certificate_arn
    assert config["ViewerCertificate"]["MinimumProtocolVersion"] == "TLSv1.2_2021"


def test_who_sets_records_by_hand_is_told_which(prod: Template) -> None:
    assert prod.properties("AWS::Route53::RecordSet") == []
    told = {name: each["Description"] for name, each in prod.content["Outputs"].items() if "Target" in name}
    assert sorted(told.values()) == [
        "Set api.example.com as a CNAME of this",
        "Set files.example.com as a CNAME of this",
    ]


def test_a_zone_gets_its_records_which_lead_through_the_firewall(zoned: Template) -> None:
    records = {each["Name"]: each for each in zoned.properties("AWS::Route53::RecordSet")}
    assert {name: each["Type"] for name, each in records.items()} == {
        "api.example.com": "A",
        "files.example.com": "A",
    }
    assert {each["HostedZoneId"] for each in records.values()} == {"Z0123456789"}
    guard = front_of(zoned)
    (target,) = records["api.example.com"]["AliasTarget"]["DNSName"]["Fn::GetAtt"][:1]
    assert zoned.content["Resources"][target]["Properties"]["DistributionConfig"] == guard


def test_the_firewall_has_the_name_and_hands_it_to_the_gateway(zoned: Template) -> None:
    """The gateway's own address is closed there too: it serves no request but by that name."""
    guard = front_of(zoned)
    assert guard["Aliases"] == ["api.example.com"]
    assert guard["DefaultCacheBehavior"]["OriginRequestPolicyId"] == ALL_VIEWER
    (origin,) = guard["Origins"]
    assert origin["DomainName"]["Fn::GetAtt"][1] == "RegionalDomainName"
    assert zoned.one("AWS::ApiGatewayV2::Api")["DisableExecuteApiEndpoint"] is True


ALL_VIEWER = "216adef6-5c7f-47e4-b989-5492eafa07d3"
"""AWS's managed policy AllViewer: with the header `Host` (CloudFront Developer Guide)."""


def front_of(template: Template) -> Any:
    (config,) = [
        each["DistributionConfig"]
        for each in template.properties("AWS::CloudFront::Distribution")
        if "WebACLId" in each["DistributionConfig"]
    ]
    return config
