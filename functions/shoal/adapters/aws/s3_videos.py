"""Files of videos: from the staging bucket to this machine's disk, and on to the private bucket of videos."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from shoal.adapters.aws.client import error_code, unavailable_when_unreachable
from shoal.adapters.aws.s3 import OUTPUT_BYTES_MAX
from shoal.domain.errors import OutputInvalid, Unavailable
from shoal.domain.job import Job
from shoal.domain.video import folder

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_MISSING = frozenset({"NoSuchKey", "404"})


class S3VideoFiles:
    """Implements the `VideoFiles` port. Keys derive from the job: a repeated step overwrites its own."""

    def __init__(self, client: S3Client, *, staging_bucket: str, videos_bucket: str) -> None:
        self._client, self._staging, self._videos = client, staging_bucket, videos_bucket

    def fetch_staged(self, key: str, target: Path) -> None:
        self._fetch(self._staging, key, target, bytes_max=OUTPUT_BYTES_MAX)

    def stage(self, job: Job, name: str, source: Path) -> str:
        key = f"{_staging_prefix(job)}{name}"
        with unavailable_when_unreachable(), source.open("rb") as body:
            self._client.put_object(Bucket=self._staging, Key=key, Body=body)
        return key

    def take_staged(self, staged_key: str, key: str, content_type: str) -> None:
        with _refuse_missing(), unavailable_when_unreachable():
            self._client.copy_object(
                Bucket=self._videos,
                Key=key,
                CopySource={"Bucket": self._staging, "Key": staged_key},
                ContentType=content_type,
                MetadataDirective="REPLACE",
            )

    def put(self, key: str, source: Path, content_type: str) -> None:
        with unavailable_when_unreachable(), source.open("rb") as body:
            self._client.put_object(Bucket=self._videos, Key=key, Body=body, ContentType=content_type)

    def fetch(self, key: str, target: Path) -> None:
        self._fetch(self._videos, key, target)

    def delete_of(self, job: Job, *, keep: Collection[str] = ()) -> None:
        self._delete(self._videos, folder(job.id), keep)
        self._delete(self._staging, _staging_prefix(job))

    def _fetch(self, bucket: str, key: str, target: Path, bytes_max: int | None = None) -> None:
        with _refuse_missing(), unavailable_when_unreachable():
            answer = self._client.get_object(Bucket=bucket, Key=key)
            if bytes_max is not None and answer["ContentLength"] > bytes_max:
                raise OutputInvalid("The provider's output is too large.")
            with target.open("wb") as file:
                shutil.copyfileobj(answer["Body"], file)

    def _delete(self, bucket: str, prefix: str, keep: Collection[str] = ()) -> None:
        with unavailable_when_unreachable():
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
                keys = [item["Key"] for item in page.get("Contents", ()) if item["Key"] not in keep]
                if keys:
                    answer = self._client.delete_objects(
                        Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys]}
                    )
                    if answer.get("Errors"):
                        raise Unavailable(retry_after_seconds=1)


class SignedUrls:
    """Addresses of private files. They hold for `expires_s`, or until their maker's credentials end.

    A Lambda's are temporary too: an address can end before its time, so each read signs again.
    """

    def __init__(self, client: S3Client, bucket: str, *, expires_s: int) -> None:
        self._client, self._bucket, self._expires_s = client, bucket, expires_s

    def __call__(self, key: str) -> str:
        return self._client.generate_presigned_url(
            "get_object", Params={"Bucket": self._bucket, "Key": key}, ExpiresIn=self._expires_s
        )


@contextmanager
def _refuse_missing() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error_code(error) in _MISSING:
            raise OutputInvalid("The provider's output is gone.") from error
        raise


def _staging_prefix(job: Job) -> str:
    return f"{job.account_id}/{job.id}/"
