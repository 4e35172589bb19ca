"""The bytes of callers' files, in the staging bucket: its objects are gone a day later by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from shoal.adapters.aws.client import error_code, unavailable_when_unreachable
from shoal.domain.errors import OutputInvalid
from shoal.domain.files.file import File
from shoal.domain.files.kinds import START_BYTES
from shoal.ports.files import Stored, UploadAddress

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_MISSING = frozenset({"NoSuchKey", "404"})
ONCE = "*"
"""`If-None-Match`: S3 takes an object only where none is, so that a file never changes."""


class S3FileObjects:
    """Implements the `FileObjects` port."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, file: File, data: bytes) -> None:
        with unavailable_when_unreachable():
            self._client.put_object(
                Bucket=self._bucket, Key=file.key, Body=data, ContentType=file.content_type
            )

    def look(self, file: File) -> Stored | None:
        try:
            with unavailable_when_unreachable():
                answer = self._client.get_object(
                    Bucket=self._bucket, Key=file.key, Range=f"bytes=0-{START_BYTES - 1}"
                )
                return Stored(int(answer["ContentRange"].rpartition("/")[2]), answer["Body"].read())
        except ClientError as error:
            if error_code(error) in _MISSING:
                return None
            if error_code(error) == "InvalidRange":
                return Stored(0, b"")
            raise

    def read(self, file: File, bytes_max: int) -> bytes | None:
        try:
            with unavailable_when_unreachable():
                answer = self._client.get_object(Bucket=self._bucket, Key=file.key)
                if answer["ContentLength"] > bytes_max:
                    raise OutputInvalid(f"must have at most {bytes_max:,} bytes")
                return answer["Body"].read()
        except ClientError as error:
            if error_code(error) in _MISSING:
                return None
            raise

    def delete(self, file: File) -> None:
        with unavailable_when_unreachable():
            self._client.delete_object(Bucket=self._bucket, Key=file.key)

    def upload_address(self, file: File, seconds: int) -> UploadAddress:
        """The signature covers type, length and `If-None-Match`: S3 takes nothing else at the address."""
        url = self._client.generate_presigned_url(
            "put_object",
            Params={
                "Bucket": self._bucket,
                "Key": file.key,
                "ContentType": file.content_type,
                "ContentLength": file.size_bytes,
                "IfNoneMatch": ONCE,
            },
            ExpiresIn=seconds,
        )
        headers = {
            "Content-Type": file.content_type,
            "Content-Length": str(file.size_bytes),
            "If-None-Match": ONCE,
        }
        return UploadAddress(url, headers)
