"""The local address, before the whole stack."""

import http.client
import json
from urllib.parse import urlsplit

import pytest
import requests

from infra.local.cloud import LocalCloud
from infra.local.front import BODY_BYTES_MAX

SECONDS_MAX = 30
PICTURE = b"\x89PNG" + bytes(96)


@pytest.fixture(scope="module")
def picture(cloud: LocalCloud) -> str:
    """The URL of an object in the outputs bucket."""
    cloud.client("s3").put_object(
        Bucket=cloud.outputs["OutputsBucketName"],
        Key="images/front test/0.png",
        Body=PICTURE,
        ContentType="image/png",
        CacheControl="public, max-age=31536000, immutable",
    )
    return f"{cloud.api_url}/images/front%20test/0.png"


def test_an_output_comes_from_the_cdn_with_its_headers(picture: str) -> None:
    answer = requests.get(picture, timeout=SECONDS_MAX)

    assert (answer.status_code, answer.content) == (200, PICTURE)
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Content-Length"] == "100"
    assert answer.headers["ETag"]
    assert "CloudFront" in answer.headers["Via"]


def test_parts_and_heads_of_an_output_pass(picture: str) -> None:
    part = requests.get(picture, headers={"Range": "bytes=0-3"}, timeout=SECONDS_MAX)
    head = requests.head(picture, timeout=SECONDS_MAX)
    etag = head.headers["ETag"]
    known = requests.get(picture, headers={"If-None-Match": etag}, timeout=SECONDS_MAX)

    assert (part.status_code, part.content) == (206, PICTURE[:4])
    assert (head.status_code, head.content, head.headers["Content-Length"]) == (200, b"", "100")
    assert (known.status_code, known.content) == (304, b"")


def test_an_output_that_is_not_there_tells_nothing_of_the_inside(cloud: LocalCloud) -> None:
    url = f"{cloud.api_url}/images/none.png"

    answer = requests.get(url, timeout=SECONDS_MAX)

    assert (answer.status_code, answer.json()) == (404, {"message": "Not Found"})
    assert requests.head(url, timeout=SECONDS_MAX).status_code == 404


def test_other_requests_reach_the_api_unchanged(cloud: LocalCloud) -> None:
    answer = requests.get(f"{cloud.api_url}/healthz?any=1&any=2", timeout=SECONDS_MAX)
    unknown = requests.delete(f"{cloud.api_url}/images/none.png", timeout=SECONDS_MAX)

    assert (answer.status_code, answer.reason) == (200, "OK")
    assert answer.headers["apigw-requestid"]
    assert unknown.status_code == 404
    assert unknown.json()["error"]["code"] == "not_found"


def test_a_chunked_body_reaches_the_api(cloud: LocalCloud) -> None:
    answer = requests.post(f"{cloud.api_url}/v1/generate", data=iter([b"{", b"}"]), timeout=SECONDS_MAX)

    assert answer.status_code == 401


def test_a_body_over_the_api_s_limit_is_refused(cloud: LocalCloud) -> None:
    answer = requests.post(f"{cloud.api_url}/healthz", data=bytes(BODY_BYTES_MAX + 1), timeout=SECONDS_MAX)

    assert (answer.status_code, answer.json()) == (413, {"message": "Request Entity Too Large"})


def test_one_connection_serves_many_requests(cloud: LocalCloud) -> None:
    connection = http.client.HTTPConnection(urlsplit(cloud.api_url).netloc, timeout=SECONDS_MAX)
    connection.connect()
    own_port = connection.sock.getsockname()[1]

    for _ in range(3):
        connection.request("GET", "/healthz")
        assert json.load(connection.getresponse())["status"] == "ok"

    assert connection.sock.getsockname()[1] == own_port
    connection.close()
