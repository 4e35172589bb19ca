"""What a stage opens to browsers, and what it puts before its API."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from infra.build.packages import unbuilt_packages
from infra.documents.parameters import ANSWER_HEADERS, REQUEST_HEADERS
from infra.stage import STAGES, InvalidStage
from infra.synthesis import app_of_command_line
from tests.infra.stages import DEV
from tests.infra.template import Template, synthesized

ORIGINS = "https://app.example.com,http://localhost:3000"


@pytest.fixture(scope="module")
def open_stage(tmp_path_factory: pytest.TempPathFactory) -> Template:
    stage = replace(DEV, cors_origins=tuple(ORIGINS.split(",")), waf_requests_max=2000)
    return synthesized(stage, tmp_path_factory.mktemp("open"))


def test_no_stage_has_browsers_or_a_firewall_unless_it_is_told_to(template: Template) -> None:
    assert template.stage.cors_origins == ()
    assert template.stage.waf_requests_max is None
    assert "CorsConfiguration" not in template.one("AWS::ApiGatewayV2::Api")
    assert template.properties("AWS::WAFv2::WebACL") == []


def test_only_the_named_origins_are_let_in(open_stage: Template) -> None:
    cors = open_stage.one("AWS::ApiGatewayV2::Api")["CorsConfiguration"]
    assert cors["AllowOrigins"] == ORIGINS.split(",")
    assert "AllowCredentials" not in cors, "a key comes in a header, never by itself"
    sent = {name.lower() for name in REQUEST_HEADERS}
    answered = {name.lower() for name in ANSWER_HEADERS} - {"cache-control", "www-authenticate"}
    assert sent <= set(cors["AllowHeaders"]), "what the document lets callers send"
    assert answered <= set(cors["ExposeHeaders"]), "what it tells them to read; the first is always readable"
    assert open_stage.function("serve_mcp")["Environment"]["Variables"]["SHOAL_CORS_ORIGINS"] == ORIGINS


def test_the_firewall_limits_addresses_and_has_managed_rules(open_stage: Template) -> None:
    acl = open_stage.one("AWS::WAFv2::WebACL")
    rate, *managed = acl["Rules"]
    assert acl["Scope"] == "CLOUDFRONT"
    assert rate["Statement"]["RateBasedStatement"] == {"Limit": 2000, "AggregateKeyType": "IP"}
    assert rate["Action"] == {"Block": {}}
    assert len(managed) == 2
    assert all(rule["Statement"]["ManagedRuleGroupStatement"]["VendorName"] == "AWS" for rule in managed)


def test_the_firewall_stands_before_the_api_and_caches_nothing(open_stage: Template) -> None:
    guarded = [
        config
        for each in open_stage.properties("AWS::CloudFront::Distribution")
        if "WebACLId" in (config := each["DistributionConfig"])
    ]
    (front,) = guarded
    behavior = front["DefaultCacheBehavior"]
    assert behavior["ViewerProtocolPolicy"] == "https-only"
    assert behavior["CachePolicyId"] == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad", "AWS's CachingDisabled"
    assert "GuardedUrl" in open_stage.content["Outputs"]


def test_callers_are_told_of_the_firewall_and_providers_are_let_around_it(open_stage: Template) -> None:
    """A provider's callbacks come from few addresses, and many of them."""
    guarded = open_stage.content["Outputs"]["GuardedUrl"]["Value"]
    read, call = (
        open_stage.function(verb)["Environment"]["Variables"] for verb in ("read_document", "call_provider")
    )
    assert read["SHOAL_API_URL"] == guarded
    assert call["SHOAL_CALLBACKS_URL"] != guarded
    assert "SHOAL_API_URL" not in call


def test_a_firewall_elsewhere_than_where_cloudfront_has_it_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stage of a file, in the region that the CDK's command line found."""
    file = tmp_path / STAGES / "dev.toml"
    file.parent.mkdir()
    file.write_text('kind = "dev"\nwaf_requests_max = 2000\n', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CDK_DEFAULT_ACCOUNT", "123456789012")
    monkeypatch.setenv("CDK_DEFAULT_REGION", "eu-west-1")
    with pytest.raises(InvalidStage, match="us-east-1, and this one is in eu-west-1"):
        app_of_command_line(unbuilt_packages(layers=True))
