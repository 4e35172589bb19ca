"""Where things are kept: the table, outputs with the CDN before them, videos, and the staging bucket."""

from __future__ import annotations

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_s3 as s3
from constructs import Construct

from ..nag import accept
from ..stage import Stage
from .domain import CLOUDFRONT_ZONE, lead, names_of

OPEN_JOBS = "open_jobs"
FAILED_JOBS = "failed_jobs"
STAGING_DAYS = 1
"""Staged bytes are copied within minutes; what a lost job leaves behind is gone a day later."""


class Storage(Construct):
    """The table, and the buckets. Nothing but the CDN may read the outputs, nothing at all is public.

    The CDN does not reach the videos: they are fetched by signed addresses of S3.
    """

    def __init__(self, scope: Construct, id_: str, *, stage: Stage) -> None:
        super().__init__(scope, id_)
        self.table = self._table(stage)
        kept = (
            [s3.LifecycleRule(id="expire-outputs", expiration=Duration.days(stage.retention_days))]
            if stage.retention_days
            else []
        )
        self.outputs = self._bucket("Outputs", stage, *kept)
        self.videos = self._bucket("Videos", stage, *kept)
        self.staging = self._bucket(
            "Staging", stage, s3.LifecycleRule(id="expire-staged", expiration=Duration.days(STAGING_DAYS))
        )
        self.catalog = self._bucket("Catalog", stage)
        self.cdn = self._cdn(stage)

    def _table(self, stage: Stage) -> dynamodb.Table:
        table = dynamodb.Table(
            self,
            "Table",
            partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="sk", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            time_to_live_attribute="expires_at",
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=stage.point_in_time_recovery
            ),
            deletion_protection=stage.deletion_protection,
            removal_policy=stage.removal_policy,
        )
        table.add_global_secondary_index(
            index_name=OPEN_JOBS,
            partition_key=dynamodb.Attribute(name="open_shard", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="deadline_at", type=dynamodb.AttributeType.NUMBER),
            projection_type=dynamodb.ProjectionType.KEYS_ONLY,
        )
        table.add_global_secondary_index(
            index_name=FAILED_JOBS,
            partition_key=dynamodb.Attribute(name="failed_shard", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="sk", type=dynamodb.AttributeType.STRING),
            projection_type=dynamodb.ProjectionType.KEYS_ONLY,
        )
        if not stage.point_in_time_recovery:
            accept(
                table,
                "AwsSolutions-DDB3",
                because="The stage holds play money only and is rebuilt, not restored.",
            )
        return table

    def _bucket(self, name: str, stage: Stage, *rules: s3.LifecycleRule) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            name,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="abort-uploads", abort_incomplete_multipart_upload_after=Duration.days(STAGING_DAYS)
                ),
                *rules,
            ],
            removal_policy=stage.removal_policy,
            auto_delete_objects=stage.emptied or None,
        )
        accept(
            bucket,
            "AwsSolutions-S1",
            because="Only the stack's functions and CDN reach it; writes are logged with their job.",
        )
        return bucket

    def _cdn(self, stage: Stage) -> cloudfront.Distribution:
        access = cloudfront.S3OriginAccessControl(
            self,
            "CdnAccess",
            # CloudFront is global: the same stage in another region must not want the same name.
            origin_access_control_name=f"{stage.prefix}-{Stack.of(self).region}",
        )
        cdn = cloudfront.Distribution(
            self,
            "Cdn",
            comment="Shoal outputs",
            default_root_object="nothing-here",
            default_behavior=cloudfront.BehaviorOptions(
                origin=origins.S3BucketOrigin.with_origin_access_control(
                    self.outputs,
                    origin_access_control=access,
                    # Listing makes S3 answer 404, not 403, for what is gone. It lists nothing to anybody: the
                    # root is a default object that does not exist, and query strings are not passed on.
                    origin_access_levels=[cloudfront.AccessLevel.READ, cloudfront.AccessLevel.LIST],
                ),
                viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.HTTPS_ONLY,
                allowed_methods=cloudfront.AllowedMethods.ALLOW_GET_HEAD,
                cache_policy=cloudfront.CachePolicy.CACHING_OPTIMIZED,
                response_headers_policy=cloudfront.ResponseHeadersPolicy.SECURITY_HEADERS,
            ),
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
            price_class=cloudfront.PriceClass.PRICE_CLASS_100,
            **names_of(self, stage.files_domain, stage.files_certificate_arn),
        )
        if stage.files_domain is not None:
            lead(
                self,
                "Files",
                stage=stage,
                name=stage.files_domain,
                target=cdn.distribution_domain_name,
                zone=CLOUDFRONT_ZONE,
            )
        _accept_open_cdn(cdn)
        return cdn


def _accept_open_cdn(cdn: cloudfront.Distribution) -> None:
    accept(
        cdn,
        "Annotation::@aws-cdk/aws-cloudfront-origins:listBucketSecurityRisk",
        because="There is a default root object, and query strings are not passed on.",
    )
    unused = "Outputs are immutable pictures behind unguessable keys, meant to be read from anywhere."
    accept(cdn, "AwsSolutions-CFR1", because=unused)
    accept(cdn, "AwsSolutions-CFR2", because=unused)
    accept(
        cdn,
        "AwsSolutions-CFR3",
        because="Downloads are neither metered nor billed; CloudFront's metrics suffice.",
    )
    accept(
        cdn,
        "AwsSolutions-CFR4",
        because="CloudFront's default certificate fixes the policy; a domain of one's own lifts it.",
    )
