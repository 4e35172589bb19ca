"""What the fake services of AWS share: Signature Version 4, checked, and errors in AWS's shape.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from tests.fakes.providers.server import Asked, FakeProvider, Malformed, Told, telling

KEY = "AKIDEXAMPLE:wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
REGION = "us-west-2"
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<id>[^/]+)/(?P<scope>(?P<date>\d{8})/(?P<region>[a-z0-9-]+)"
    r"/(?P<service>[a-z]+)/aws4_request), SignedHeaders=(?P<names>[a-z0-9;-]+), "
    r"Signature=(?P<signature>[0-9a-f]{64})"
)
_SKEW_MAX = timedelta(minutes=15)


class FakeAws(FakeProvider):
    """`service` and `region` are the credential scope's. `key` is id and secret with a colon between."""

    service = ""
    region = REGION

    def __init__(self, *, key: str = KEY) -> None:
        super().__init__(key=key)

    def allow(self, asked: Asked) -> Told | None:
        found = _AUTHORIZATION.fullmatch(asked.headers.get("authorization", ""))
        if not found or not {"host", "x-amz-date"} <= set(found["names"].split(";")):
            return error(403, "MissingAuthenticationTokenException", "Missing Authentication Token")
        key_id, _, secret = self.key.partition(":")
        if found["id"] != key_id:
            said = "The security token included in the request is invalid."
            return error(403, "UnrecognizedClientException", said)
        if (found["region"], found["service"]) != (self.region, self.service):
            return error(403, "InvalidSignatureException", "Credential should be scoped to a valid region.")
        at = datetime.strptime(asked.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if abs(datetime.now(UTC) - at) > _SKEW_MAX or not hmac.compare_digest(
            _signature(asked, found, secret), found["signature"]
        ):
            return error(403, "InvalidSignatureException", "The request signature does not match.")
        return None

    def refuse(self, problem: Malformed) -> Told:
        if problem.status in (404, 405):
            return error(404, "UnknownOperationException", "Unknown operation")
        return error(400, "ValidationException", f"{problem.what} {problem.why}")


def error(status: int, kind: str, said: str) -> Told:
    headers = {"x-amzn-ErrorType": f"{kind}:http://internal.amazon.com/coral/com.amazon.bedrock/"}
    return telling({"message": said}, status, headers)


def _signature(asked: Asked, found: re.Match[str], secret: str) -> str:
    names = found["names"].split(";")
    canonical = "\n".join(
        (
            asked.method,
            quote(asked.path, safe="/-_.~"),  # what is encoded already is encoded again
            "&".join(
                f"{quote(name, safe='')}={quote(value, safe='')}"
                for name, value in sorted(asked.query.items())
            ),
            *(f"{name}:{' '.join(asked.headers.get(name, '').split())}" for name in names),
            "",
            found["names"],
            hashlib.sha256(asked.body).hexdigest(),
        )
    )
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    signed = f"AWS4-HMAC-SHA256\n{asked.headers['x-amz-date']}\n{found['scope']}\n{hashed}"
    key = f"AWS4{secret}".encode()
    for part in (*found["scope"].split("/"), signed):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key.hex()
