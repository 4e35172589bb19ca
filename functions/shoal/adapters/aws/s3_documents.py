"""Documents of the catalog in their bucket.

A published catalog is read by the functions that accept jobs, in a cold start at that. What botocore knows of
S3 takes as long to load as half of such a start, so a document is fetched by a plain request, signed by
botocore.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import HTTPClientError, NoCredentialsError
from botocore.httpsession import URLLib3Session

from shoal.adapters.aws.client import session, unavailable_when_unreachable
from shoal.domain.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

OK, MISSING = 200, (403, 404)
"""S3 answers 403 for what is missing to those who may not list a bucket."""
SECONDS_MAX = 3
TRIES_MAX = 3
FOLDER = "catalog"


def document_key(version: str) -> str:
    return f"{FOLDER}/{version}.json"


class S3Documents:
    """Implements the `CatalogDocuments` port. `light`: in a function, where no client is made to read."""

    def __init__(self, client: Callable[[], S3Client], bucket: str, *, light: bool) -> None:
        self._client = client
        self._bucket = bucket
        self._light = light

    def get(self, version: str) -> bytes | None:
        if not self._light:
            return self._get_by_client(document_key(version))
        for _ in range(TRIES_MAX):
            status, body = self._fetch(document_key(version))
            if status == OK:
                return body
            if status in MISSING:
                return None
        raise Unavailable(retry_after_seconds=1)

    def put(self, version: str, document: bytes) -> None:
        with unavailable_when_unreachable():
            self._client().put_object(
                Bucket=self._bucket,
                Key=document_key(version),
                Body=document,
                ContentType="application/json",
            )

    def _get_by_client(self, key: str) -> bytes | None:
        client = self._client()
        try:
            with unavailable_when_unreachable():
                return client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except client.exceptions.NoSuchKey:
            return None

    def _fetch(self, key: str) -> tuple[int, bytes]:
        """Status and body; status 0 without an answer."""
        region = str(session().get_config_variable("region"))
        request = AWSRequest("GET", f"{_bucket_url(self._bucket, region)}/{key}")
        if (credentials := session().get_credentials()) is None:
            raise NoCredentialsError
        S3SigV4Auth(credentials, "s3", region).add_auth(request)
        try:
            answer = URLLib3Session(timeout=SECONDS_MAX).send(request.prepare())
            return answer.status_code, answer.content
        except HTTPClientError:
            return 0, b""


def _bucket_url(bucket: str, region: str) -> str:
    local = os.environ.get("AWS_ENDPOINT_URL")
    return f"{local}/{bucket}" if local else f"https://{bucket}.s3.{region}.{_suffix(region)}"


def _suffix(region: str) -> str:
    return "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
