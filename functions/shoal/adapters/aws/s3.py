"""Buckets: where a provider's bytes wait, and where callers fetch theirs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, TypedDict

from botocore.exceptions import ClientError

from shoal.adapters.aws.client import error_code, unavailable_when_unreachable
from shoal.domain.errors import OutputInvalid
from shoal.domain.job import Job, output_folder
from shoal.ports.jobs import Staged

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

OUTPUT_BYTES_MAX = 64 * 1024 * 1024
SHOWN = ("image/", "video/", "audio/")
"""What browsers show or play. Anything else they save to a file: nothing of it is opened at our address."""
FOR_EVER = "public, max-age=31536000, immutable"


EXTRAS = "extras"
"""What tells, with a staged output, how many files came beside it."""


def staging_key(job: Job, index: int, extra: int = 0) -> str:
    """Where an output waits to be checked, or its extra of a number from 1 on."""
    return extra_key(f"{job.account_id}/{job.id}/{index}", extra)


def extra_key(key: str, extra: int) -> str:
    return f"{key}-{extra}" if extra else key


def staged_with(extras: int) -> dict[str, str]:
    """An output's metadata."""
    return {EXTRAS: str(extras)} if extras else {}


class S3Staging:
    """Implements the `Staging` port. Keys derive from the job, so a repeated answer overwrites itself."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, job: Job, index: int, file: IO[bytes], *, extra: int = 0, extras: int = 0) -> str:
        key = staging_key(job, index, extra)
        file.seek(0)
        with unavailable_when_unreachable():
            self._client.put_object(Bucket=self._bucket, Key=key, Body=file, Metadata=staged_with(extras))
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

    def delete_input(self, key: str) -> None:
        with unavailable_when_unreachable():
            self._client.delete_object(Bucket=self._bucket, Key=key)

    def read(self, key: str) -> bytes:
        return self._read(key)[0]

    def read_output(self, key: str) -> Staged:
        data, extras = self._read(key)
        return Staged(data, tuple(self.read(extra_key(key, number)) for number in range(1, extras + 1)))

    def _read(self, key: str) -> tuple[bytes, int]:
        """What is there, and how many files came beside it."""
        try:
            with unavailable_when_unreachable():
                answer = self._client.get_object(Bucket=self._bucket, Key=key)
                if answer["ContentLength"] > OUTPUT_BYTES_MAX:
                    raise OutputInvalid("The provider's output is too large.")
                return answer["Body"].read(), int(answer.get("Metadata", {}).get(EXTRAS, 0))
        except ClientError as error:
            if error_code(error) == "NoSuchKey":
                raise OutputInvalid("The provider's output is gone.") from error
            raise


class ObjectHeaders(TypedDict, total=False):
    """What S3 tells caches and browsers of an object."""

    CacheControl: str
    ContentDisposition: str
    Expires: datetime


class S3Outputs:
    """Implements the `Outputs` port. An output never changes, so caches may keep it as long as it is kept.

    Until a moment rather than for a time: the CDN counts a time from when it fetched the object, so that it
    would serve what it fetched last long after the object is deleted.
    """

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, key: str, data: bytes, content_type: str, *, expires_at_ms: int | None) -> None:
        cached: ObjectHeaders = {"CacheControl": FOR_EVER}
        if expires_at_ms is not None:
            # No `max-age` beside it, which would win (RFC 9111, 5.3).
            cached = {"CacheControl": "public", "Expires": datetime.fromtimestamp(expires_at_ms // 1000, UTC)}
        if not content_type.startswith(SHOWN):
            cached["ContentDisposition"] = f'attachment; filename="{key.rpartition("/")[2]}"'
        with unavailable_when_unreachable():
            self._client.put_object(
                Bucket=self._bucket, Key=key, Body=data, ContentType=content_type, **cached
            )

    def delete(self, keys: Sequence[str]) -> None:
        for key in keys:
            with unavailable_when_unreachable():
                self._client.delete_object(Bucket=self._bucket, Key=key)

    def delete_leftovers(self, job: Job) -> None:
        kept = {key for output in job.outputs for key in output.keys}
        with unavailable_when_unreachable():
            # One page: a job has a few outputs, a folder holds a thousand.
            page = self._client.list_objects_v2(Bucket=self._bucket, Prefix=output_folder(job))
        self.delete([found["Key"] for found in page.get("Contents", []) if found["Key"] not in kept])
