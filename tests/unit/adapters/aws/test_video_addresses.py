"""Where outputs are fetched: pictures for ever, videos for a while."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import boto3
import pytest

from shoal.adapters.aws.client import config_of
from shoal.adapters.aws.s3_videos import SignedUrls
from shoal.adapters.outputs.urls import OutputUrls


@pytest.fixture
def urls() -> OutputUrls:
    """Signed with temporary credentials, as a Lambda's are."""
    client = boto3.Session("key", "secret", "token", region_name="eu-west-1").client(
        "s3", config=config_of("s3")
    )
    return OutputUrls("https://cdn.test", SignedUrls(client, "shoal-unit-videos", expires_s=3600))


def test_a_picture_has_a_plain_address_that_needs_no_client() -> None:
    def sign(key: str) -> str:
        raise AssertionError(key)

    assert (
        OutputUrls("https://cdn.test/", sign)("images/job_1/0.png") == "https://cdn.test/images/job_1/0.png"
    )


def test_a_video_has_a_signed_address_that_expires(urls: OutputUrls) -> None:
    address = urlsplit(urls("videos/vid_1/final.mp4"))

    assert (address.scheme, address.path) == ("https", "/videos/vid_1/final.mp4")
    assert address.netloc == "shoal-unit-videos.s3.eu-west-1.amazonaws.com"
    query = {name: value for name, (value,) in parse_qs(address.query).items()}
    assert query["X-Amz-Algorithm"] == "AWS4-HMAC-SHA256"
    assert query["X-Amz-Expires"] == "3600"
    assert query["X-Amz-Security-Token"] == "token"
    assert len(query["X-Amz-Signature"]) == 64
