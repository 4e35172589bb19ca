"""Money, pictures and secrets are kept, and kept to ourselves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.infra.stages import DEV
from tests.infra.template import Template, listed, synthesized, text

PERSISTENT = ("AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SecretsManager::Secret", "AWS::Logs::LogGroup")


def test_the_table_has_the_designed_keys_and_forgets_by_expires_at(template: Template) -> None:
    table = template.one("AWS::DynamoDB::Table")
    assert table["KeySchema"] == [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ]
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert table["GlobalSecondaryIndexes"] == [
        {
            "IndexName": "open_jobs",
            "KeySchema": [
                {"AttributeName": "open_shard", "KeyType": "HASH"},
                {"AttributeName": "deadline_at", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        },
        {
            "IndexName": "failed_jobs",
            "KeySchema": [
                {"AttributeName": "failed_shard", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        },
    ]
    types = {a["AttributeName"]: a["AttributeType"] for a in table["AttributeDefinitions"]}
    assert types == {"pk": "S", "sk": "S", "open_shard": "S", "deadline_at": "N", "failed_shard": "S"}


def test_production_can_be_restored_and_not_deleted(prod: Template) -> None:
    table = prod.one("AWS::DynamoDB::Table")
    assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert table["DeletionProtectionEnabled"] is True


def test_what_a_stage_holds_is_kept_or_removed_with_it(template: Template) -> None:
    kept = template.stage.name == "prod"
    for resource_type in PERSISTENT:
        for id_, resource in template.of_type(resource_type).items():
            assert resource["DeletionPolicy"] == ("RetainExceptOnCreate" if kept else "Delete"), id_
            assert resource["UpdateReplacePolicy"] == ("Retain" if kept else "Delete"), id_


def test_a_stage_that_goes_empties_its_buckets_first(template: Template) -> None:
    """AWS deletes no bucket that holds objects; the local cloud has no such custom resource."""
    emptied = {text(each["BucketName"]) for each in template.properties("Custom::S3AutoDeleteObjects")}
    buckets = {text({"Ref": id_}) for id_ in template.of_type("AWS::S3::Bucket")}
    assert len(buckets) == 4
    assert emptied == (buckets if template.stage.kind == "dev" else set())


def test_what_a_stage_leaves_behind_is_in_nobodys_way(dev: Template) -> None:
    """Whatever has a name of its own is deleted with the stage, which can be deployed again.

    Versions are kept for a rollback, and go with the functions and machines that they are of.
    """
    versions = {"AWS::Lambda::Version", "AWS::StepFunctions::StateMachineVersion"}
    for id_, resource in dev.content["Resources"].items():
        kept = "Retain" if resource["Type"] in versions else "Delete"
        assert resource.get("DeletionPolicy", "Delete") == kept, id_


def test_buckets_are_closed_and_encrypted(template: Template) -> None:
    for bucket in template.properties("AWS::S3::Bucket"):
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
        assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
        assert "BucketEncryption" in bucket
        assert "WebsiteConfiguration" not in bucket


def test_only_the_cdn_reads_outputs_and_nobody_is_let_into_staging_or_videos(template: Template) -> None:
    allowed = {}
    for policy in template.properties("AWS::S3::BucketPolicy"):
        statements = policy["PolicyDocument"]["Statement"]
        allowed[text(policy["Bucket"])] = [
            s for s in statements if s["Effect"] == "Allow" and "AutoDelete" not in str(s["Principal"])
        ]
    assert [allowed[f"<Storage{name}>"] for name in ("Catalog", "Staging", "Videos")] == [[], [], []]
    (reading,) = allowed["<StorageOutputs>"]
    # Who may list a bucket is told 404 of what is not in it. Objects can't be listed, nor a bucket got.
    assert set(listed(reading["Action"])) == {"s3:GetObject", "s3:ListBucket"}
    resources = {text(resource) for resource in listed(reading["Resource"])}
    assert resources == {"<StorageOutputs.Arn>", "<StorageOutputs.Arn>/*"}
    assert reading["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    source = text(reading["Condition"]["StringEquals"]["AWS:SourceArn"])
    assert source == "arn:<AWS::Partition>:cloudfront::<AWS::AccountId>:distribution/<StorageCdn>"


def test_the_cdn_lists_nothing_to_anybody(template: Template) -> None:
    distribution = template.one("AWS::CloudFront::Distribution")["DistributionConfig"]
    assert distribution["DefaultRootObject"] == "nothing-here"
    # The managed policy CachingOptimized passes no query string on: no `?list-type=2` either.
    assert distribution["DefaultCacheBehavior"]["CachePolicyId"] == "658327ea-f89d-4fab-a63d-7e88639e58f6"
    assert "OriginRequestPolicyId" not in distribution["DefaultCacheBehavior"]


def test_the_cdn_signs_its_requests_and_speaks_https_only(template: Template) -> None:
    distribution = template.one("AWS::CloudFront::Distribution")["DistributionConfig"]
    control = template.one("AWS::CloudFront::OriginAccessControl")["OriginAccessControlConfig"]
    assert distribution["DefaultCacheBehavior"]["ViewerProtocolPolicy"] == "https-only"
    assert distribution["DefaultCacheBehavior"]["AllowedMethods"] == ["GET", "HEAD"]
    (origin,) = distribution["Origins"]
    assert origin["S3OriginConfig"] == {"OriginAccessIdentity": ""}
    assert "OriginAccessControlId" in origin
    assert (control["SigningBehavior"], control["SigningProtocol"]) == ("always", "sigv4")


def test_staged_bytes_are_gone_after_a_day(template: Template) -> None:
    assert expirations_of(template) == {
        "<StorageCatalog>": [],
        "<StorageStaging>": [1],
        "<StorageOutputs>": [],
        "<StorageVideos>": [],
    }


def test_outputs_are_gone_after_the_days_the_stage_says(tmp_path: Path) -> None:
    template = synthesized(replace(DEV, retention_days=30), tmp_path)
    assert expirations_of(template) == {
        "<StorageCatalog>": [],
        "<StorageStaging>": [1],
        "<StorageOutputs>": [30],
        "<StorageVideos>": [30],
    }
    for verb in ("store_output", "settle_wallet"):
        assert template.function(verb)["Environment"]["Variables"]["SHOAL_RETENTION_DAYS"] == "30"


def test_outputs_are_kept_for_ever_where_the_stage_says_nothing(dev: Template) -> None:
    for verb in ("store_output", "settle_wallet"):
        assert dev.function(verb)["Environment"]["Variables"]["SHOAL_RETENTION_DAYS"] == "0"


def expirations_of(template: Template) -> dict[str, list[int]]:
    """After how many days each bucket loses what is in it."""
    return {
        text({"Ref": id_}): [
            rule["ExpirationInDays"]
            for rule in bucket["Properties"]["LifecycleConfiguration"]["Rules"]
            if "ExpirationInDays" in rule
        ]
        for id_, bucket in template.of_type("AWS::S3::Bucket").items()
    }


def test_the_callback_secret_is_made_by_aws(template: Template) -> None:
    secret = template.one("AWS::SecretsManager::Secret")
    assert secret["GenerateSecretString"]["PasswordLength"] == 64
    assert "SecretString" not in secret


def test_logs_are_kept_as_long_as_the_stage_says(template: Template) -> None:
    days = {"local": 1, "dev": 7, "prod": 90}[template.stage.name]
    assert {group["RetentionInDays"] for group in template.properties("AWS::Logs::LogGroup")} == {days}
