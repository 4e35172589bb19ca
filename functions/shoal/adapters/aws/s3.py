"""Buckets: where a provider's bytes wait, and where callers fetch theirs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from shoal.adapters.aws.client import error_code, unavailable_when_unreachable
from shoal.domain.errors import OutputInvalid
from shoal.domain.job import Job

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

OUTPUT_BYTES_MAX = 64 * 1024 * 1024


def staging_key(job: Job, index: int) -> str:
    """Where an output waits to be checked."""
    return f"{job.account_id}/{job.id}/{index}"


class S3Staging:
    """Implements the `Staging` port. Keys derive from the job, so a repeated answer overwrites itself."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, job: Job, index: int, data: bytes) -> str:
        key = staging_key(job, index)
        with unavailable_when_unreachable():
            self._client.put_object(Bucket=self._bucket, Key=key, Body=data)
        return key

    def find_staged(self, job: Job, index: int) -> str | None:
        key = staging_key(job, index)
        try:
            with unavailable_when_unreachable():
                self._client.head_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if error_code(error) == "404":
                return None
            raise
        return key

    def put_input(self, key: str, data: bytes) -> str:
        with unavailable_when_unreachable():
            self._client.put_object(Bucket=self._bucket, Key=key, Body=data)
        return key

    def read(self, key: str) -> bytes:
        try:
            with unavailable_when_unreachable():
                answer = self._client.get_object(Bucket=self._bucket, Key=key)
                if answer["ContentLength"] > OUTPUT_BYTES_MAX:
                    raise OutputInvalid("The provider's output is too large.")
                return answer["Body"].read()
        except ClientError as error:
            if error_code(error) == "NoSuchKey":
                raise OutputInvalid("The provider's output is gone.") from error
            raise


class S3Outputs:
    """Implements the `Outputs` port. An output never changes, so caches may keep it as long as it is kept."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, key: str, data: bytes, content_type: str, *, cache_s: int) -> None:
        with unavailable_when_unreachable():
            self._client.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=data,
                ContentType=content_type,
                CacheControl=f"public, max-age={cache_s}, immutable",
            )

    def delete(self, keys: Sequence[str]) -> None:
        for key in keys:
            with unavailable_when_unreachable():
                self._client.delete_object(Bucket=self._bucket, Key=key)
