"""The CDN's reading of the outputs bucket."""

from __future__ import annotations

from typing import Any

from ministack.core import iam_evaluator  # type: ignore[import-untyped]
from ministack.core.responses import get_account_id, get_region  # type: ignore[import-untyped]
from ministack.services import s3  # type: ignore[import-untyped]

FORBIDDEN = 403

_fetch = s3.serve_cloudfront_origin_fetch


def _may_list(bucket_name: str, source_arn: str) -> bool:
    owner = s3._bucket_owner_account(bucket_name) or get_account_id()
    policy = s3._bucket_policies.get_scoped(owner, None, bucket_name)
    if not policy:
        return False
    context = iam_evaluator.EvalContext(
        principal_arn="*",
        principal_type="Service",
        principal_account="",
        action="s3:ListBucket",
        resource_arn=f"arn:aws:s3:::{bucket_name}",
        region=get_region(),
        service_context={"aws:sourcearn": source_arn},
    )
    decision = iam_evaluator.evaluate_resource_policy(
        policy, context, service="cloudfront.amazonaws.com"
    ).decision
    return bool(decision == "Allow")


def _fetch_or_not_found(
    bucket_name: str,
    key: str,
    method: str,
    headers: Any,
    source_arn: str = "",
    oai_id: str = "",
) -> tuple[int, Any, Any]:
    """AWS: who may list the bucket is told 404 of an object that is not there. MiniStack always says 403."""
    answer: tuple[int, Any, Any] = _fetch(bucket_name, key, method, headers, source_arn, oai_id)
    bucket = s3._ensure_bucket(bucket_name)
    gone = answer[0] == FORBIDDEN and bucket is not None and key not in bucket["objects"]
    if gone and source_arn and _may_list(bucket_name, source_arn):
        missing: tuple[int, Any, Any] = s3._error(
            "NoSuchKey", "The specified key does not exist.", 404, f"/{bucket_name}/{key}"
        )
        return missing
    return answer


def apply() -> None:
    """Put the patches in place."""
    s3.serve_cloudfront_origin_fetch = _fetch_or_not_found
