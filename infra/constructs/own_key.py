"""What a stage keeps at rest, under a key of KMS that its owner names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import jsii
from aws_cdk import IAspect, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct, IConstruct

DATA_KEY_SECONDS = 3600
"""How long SQS uses a data key again: each costs a request to KMS, for each who sends or reads."""
USES = {
    "dynamodb": ("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"),
    "s3": ("kms:Decrypt", "kms:GenerateDataKey"),
    "secretsmanager": ("kms:Decrypt",),
    "sqs": ("kms:Decrypt", "kms:GenerateDataKey"),
}
"""What each service does with the key in the name of who calls it, as its developer guide says.

The other services take the key in their own name, which the key's policy allows them.
"""


@jsii.implements(IAspect)
class OwnKey:
    """Puts everything that lies somewhere under the key, whichever construct makes it."""

    def __init__(self, arn: str) -> None:
        self._arn = arn

    def visit(self, node: IConstruct) -> None:
        """Set the key of one resource, if it is of a type that keeps something."""
        match node:
            case dynamodb.CfnTable():
                node.sse_specification = dynamodb.CfnTable.SSESpecificationProperty(
                    sse_enabled=True, sse_type="KMS", kms_master_key_id=self._arn
                )
            case s3.CfnBucket():
                node.bucket_encryption = self._of_buckets()
            case sqs.CfnQueue():
                node.sqs_managed_sse_enabled = None
                node.kms_master_key_id = self._arn
                node.kms_data_key_reuse_period_seconds = DATA_KEY_SECONDS
            case secretsmanager.CfnSecret() | logs.CfnLogGroup():
                node.kms_key_id = self._arn
            case sns.CfnTopic():
                node.kms_master_key_id = self._arn
            case events.CfnArchive():
                node.kms_key_identifier = self._arn
            case _:
                """It keeps nothing, or its reason is in docs/how-to/deploy.md."""

    def _of_buckets(self) -> s3.CfnBucket.BucketEncryptionProperty:
        """With a key of the bucket's own under it, so that not every object costs a request to KMS."""
        by_default = s3.CfnBucket.ServerSideEncryptionByDefaultProperty(
            sse_algorithm="aws:kms", kms_master_key_id=self._arn
        )
        rule = s3.CfnBucket.ServerSideEncryptionRuleProperty(
            bucket_key_enabled=True, server_side_encryption_by_default=by_default
        )
        return s3.CfnBucket.BucketEncryptionProperty(server_side_encryption_configuration=[rule])


def use_key(
    scope: Construct, arn: str, statements: Iterable[iam.PolicyStatement]
) -> Iterator[iam.PolicyStatement]:
    """What a role has to be allowed on the key, for what `statements` allow it: by these services alone."""
    services = {action.partition(":")[0] for statement in statements for action in statement.actions}
    for service in sorted(services & USES.keys()):
        yield iam.PolicyStatement(
            actions=list(USES[service]),
            resources=[arn],
            # In China the name goes on with `.cn`.
            conditions={
                "StringLike": {"kms:ViaService": f"{service}.{Stack.of(scope).region}.amazonaws.com*"}
            },
        )
