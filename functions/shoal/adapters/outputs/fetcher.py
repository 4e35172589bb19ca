"""What a provider delivers as an address: fetched by the rules for foreign addresses, and staged.

Small files pass through memory, larger ones through the disk; none is longer than the cap.
"""

from __future__ import annotations

from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from botocore.exceptions import ClientError

from shoal.adapters.aws.client import error_code, unavailable_when_unreachable
from shoal.adapters.aws.s3 import OUTPUT_BYTES_MAX, staged_with, staging_key
from shoal.adapters.http.vetted_http import WITH_CONTENT, VettedHttp
from shoal.adapters.outputs.check import check_file, check_head
from shoal.domain import errors
from shoal.domain.job import Job
from shoal.media.inspection.signatures import HEAD_BYTES

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

IN_MEMORY_BYTES_MAX = 8 * 2**20
WALL_CLOCK_SECONDS = 60.0
HOPS_MAX = 3
TRIES = 2
OWN_BUCKET = "s3://"
REDIRECTS = frozenset({301, 302, 303, 307, 308})
TOO_LARGE = "The provider's output is too large."


class VettedOutputFetcher:
    """Implements the `OutputFetcher` port. `bucket` is the staging bucket."""

    def __init__(self, http: VettedHttp, client: S3Client, bucket: str) -> None:
        self._http = http
        self._client = client
        self._bucket = bucket

    def fetch(self, job: Job, index: int, url: str, *, extra: int = 0, extras: int = 0) -> str:
        key = staging_key(job, index, extra)
        if url.startswith(OWN_BUCKET):
            self._copy(job, url.removeprefix(OWN_BUCKET), key)
            return key
        with SpooledTemporaryFile(IN_MEMORY_BYTES_MAX) as file:
            self._download(url, file)
            if not extra:  # which may be of any type: it is looked at when it is stored
                check_file(job, file)
            file.seek(0)
            told = staged_with(extras)
            with unavailable_when_unreachable():
                self._client.put_object(Bucket=self._bucket, Key=key, Body=file, Metadata=told)
        return key

    def _download(self, url: str, file: SpooledTemporaryFile[bytes]) -> None:
        """The file, over redirects, each address vetted again. A connection that broke is made once more."""
        tries = TRIES
        for _ in range(HOPS_MAX + TRIES):
            file.seek(0)
            file.truncate()
            try:
                answer = self._http.download(
                    url, file, wall_clock_seconds=WALL_CLOCK_SECONDS, bytes_max=OUTPUT_BYTES_MAX
                )
            except errors.ResponseTooLarge as error:
                raise errors.OutputInvalid(TOO_LARGE) from error
            except (errors.ConnectionFailed, errors.ExchangeTimedOut, errors.ResponseInvalid):
                tries -= 1
                if not tries:
                    raise
                continue
            if answer.status in WITH_CONTENT:
                return
            if answer.status not in REDIRECTS or "location" not in answer.headers:
                raise errors.ResponseInvalid(f"The output's address answered with status {answer.status}.")
            url = urljoin(url, answer.headers["location"])
        raise errors.ResponseInvalid("The output's address leads in circles.")

    def _copy(self, job: Job, place: str, key: str) -> None:
        """What a provider wrote into our own bucket; its bytes do not come here."""
        bucket, _, source = place.partition("/")
        if bucket != self._bucket:
            raise errors.OutputInvalid("The provider's output is not where it was to be.")
        try:
            with unavailable_when_unreachable():
                head = self._client.get_object(Bucket=bucket, Key=source, Range=f"bytes=0-{HEAD_BYTES - 1}")
                size = int(head["ContentRange"].rpartition("/")[2])
                check_head(job, head["Body"].read())
        except ClientError as error:
            if error_code(error) in ("NoSuchKey", "InvalidRange"):
                raise errors.ResponseInvalid("The provider's output is not there.") from error
            raise
        if size > OUTPUT_BYTES_MAX:
            raise errors.OutputInvalid(TOO_LARGE)
        with unavailable_when_unreachable():
            self._client.copy_object(Bucket=bucket, Key=key, CopySource={"Bucket": bucket, "Key": source})
