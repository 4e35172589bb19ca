"""Outputs at addresses: fetched by the rules for foreign addresses, capped, told from pages, kept."""

from __future__ import annotations

import io
from typing import Any
from uuid import uuid4

import pytest

from infra.local.aws import Endpoint
from shoal.adapters import outputs
from shoal.adapters.aws.s3 import S3Staging
from shoal.adapters.http.vetted_http import VettedHttp
from shoal.adapters.outputs.fetcher import VettedOutputFetcher
from shoal.domain.addresses import LOCAL_RULES, AddressRules
from shoal.domain.errors import (
    AddressRefused,
    ConnectionFailed,
    ExchangeError,
    OutputInvalid,
    ResponseInvalid,
)
from shoal.domain.job import Job
from shoal.ports.jobs import Staged
from tests.fakes.providers.media import MP4, png
from tests.support.factories import ACCOUNT, JOB, REQUEST, a_job
from tests.support.receiver import Receiver, raw, reply

PICTURE = png(64, 64)
CLIP_JOB = a_job(request=REQUEST | {"type": "video_generate"})
KEY = f"{ACCOUNT}/{JOB}/2"


@pytest.fixture
def s3(endpoint: Endpoint) -> Any:
    return endpoint.client("s3")


@pytest.fixture
def bucket(s3: Any) -> str:
    name = f"staging-{uuid4().hex}"
    s3.create_bucket(Bucket=name)
    return name


@pytest.fixture
def fetcher(s3: Any, bucket: str) -> VettedOutputFetcher:
    return VettedOutputFetcher(VettedHttp(LOCAL_RULES), s3, bucket)


def kept(s3: Any, bucket: str) -> bytes:
    data: bytes = s3.get_object(Bucket=bucket, Key=KEY)["Body"].read()
    return data


@pytest.mark.parametrize(
    "data",
    [PICTURE, MP4],
    ids=["png", "mp4"],
)
def test_what_is_there_is_kept_as_it_is(
    fetcher: VettedOutputFetcher, s3: Any, bucket: str, data: bytes
) -> None:
    job = CLIP_JOB if data == MP4 else a_job()
    with Receiver(reply(200, data, {"Content-Type": "text/html"})) as receiver:
        assert fetcher.fetch(job, 2, receiver.url("/out.png")) == KEY
    assert kept(s3, bucket) == data


def test_an_output_tells_what_was_staged_beside_it(
    fetcher: VettedOutputFetcher, s3: Any, bucket: str
) -> None:
    staging = S3Staging(s3, bucket)
    with Receiver(reply(200, b"{}")) as receiver:
        fetcher.fetch(a_job(), 2, receiver.url(), extra=1)
    staging.put(a_job(), 2, io.BytesIO(b"texture"), extra=2)
    assert staging.find_staged(a_job(), 2) is None

    staging.put(a_job(), 2, io.BytesIO(PICTURE), extras=2)
    assert staging.read_output(KEY) == Staged(PICTURE, (b"{}", b"texture"))

    with Receiver(reply(200, PICTURE)) as receiver:
        fetcher.fetch(a_job(), 2, receiver.url(), extras=1)
    assert staging.read_output(KEY) == Staged(PICTURE, (b"{}",))
    with Receiver(reply(200, PICTURE)) as receiver:
        fetcher.fetch(a_job(), 2, receiver.url())
    assert staging.read_output(KEY) == Staged(PICTURE)


def test_what_is_staged_is_found_by_its_job_and_index(
    fetcher: VettedOutputFetcher, s3: Any, bucket: str
) -> None:
    staging = S3Staging(s3, bucket)
    assert staging.find_staged(a_job(), 2) is None

    with Receiver(reply(200, PICTURE)) as receiver:
        fetcher.fetch(a_job(), 2, receiver.url())

    assert staging.find_staged(a_job(), 2) == KEY
    assert staging.find_staged(a_job(), 1) is None


def test_a_large_file_goes_over_the_disk(
    fetcher: VettedOutputFetcher, s3: Any, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outputs.fetcher, "IN_MEMORY_BYTES_MAX", 1000)
    data = PICTURE + b"x" * 300_000

    with Receiver(reply(200, data)) as receiver:
        fetcher.fetch(a_job(), 2, receiver.url())

    assert kept(s3, bucket) == data


@pytest.mark.parametrize("job", [a_job(), CLIP_JOB], ids=["picture", "clip"])
@pytest.mark.parametrize(
    "data",
    [b"", b"<html>sign in</html>", b"GIF89a", b"PK\x03\x04", b'{"error":1}', PICTURE[:50], MP4[:28]],
)
def test_what_is_no_output_or_not_all_of_it_is_refused(
    fetcher: VettedOutputFetcher, job: Job, data: bytes
) -> None:
    with Receiver(reply(200, data, {"Content-Type": "image/png"})) as receiver, pytest.raises(OutputInvalid):
        fetcher.fetch(job, 2, receiver.url())


@pytest.mark.parametrize("announced", [True, False])
def test_what_is_beyond_the_cap_is_refused(
    fetcher: VettedOutputFetcher, monkeypatch: pytest.MonkeyPatch, announced: bool
) -> None:
    monkeypatch.setattr(outputs.fetcher, "OUTPUT_BYTES_MAX", 1000)
    data = PICTURE + b"x" * 1000
    answer = reply(200, data) if announced else raw(b"HTTP/1.1 200 OK\r\n\r\n" + data)
    with Receiver(answer) as receiver, pytest.raises(OutputInvalid, match="too large"):
        fetcher.fetch(a_job(), 2, receiver.url())


@pytest.mark.parametrize("status", [403, 404, 410, 500, 204])
def test_an_address_that_has_expired_is_an_error_of_the_exchange(
    fetcher: VettedOutputFetcher, status: int
) -> None:
    with Receiver(reply(status)) as receiver, pytest.raises(ResponseInvalid, match=str(status)):
        fetcher.fetch(a_job(), 2, receiver.url())
    assert len(receiver.requests) == 1


def test_a_broken_connection_is_made_once_more(fetcher: VettedOutputFetcher, s3: Any, bucket: str) -> None:
    cut = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + PICTURE[:20])
    with Receiver(cut, reply(200, PICTURE)) as receiver:
        fetcher.fetch(a_job(), 2, receiver.url())
    assert kept(s3, bucket) == PICTURE
    with Receiver(raw()) as receiver, pytest.raises(ConnectionFailed):
        fetcher.fetch(a_job(), 2, receiver.url())
    assert receiver.connections == 2


def test_redirects_are_followed_a_few_times(fetcher: VettedOutputFetcher, s3: Any, bucket: str) -> None:
    with (
        Receiver(reply(200, PICTURE)) as there,
        Receiver(reply(302, headers={"Location": there.url()})) as here,
    ):
        fetcher.fetch(a_job(), 2, here.url())
    assert kept(s3, bucket) == PICTURE
    with (
        Receiver(reply(302, headers={"Location": "/again"})) as circle,
        pytest.raises(ResponseInvalid, match="circles"),
    ):
        fetcher.fetch(a_job(), 2, circle.url())


def test_every_hop_is_vetted(s3: Any, bucket: str) -> None:
    strict = VettedOutputFetcher(VettedHttp(AddressRules()), s3, bucket)
    local = VettedOutputFetcher(VettedHttp(LOCAL_RULES), s3, bucket)
    with Receiver(reply(302, headers={"Location": "http://169.254.169.254/"})) as receiver:
        with pytest.raises(AddressRefused):
            strict.fetch(a_job(), 2, receiver.url())
        assert receiver.connections == 0
        with pytest.raises(ExchangeError):
            local.fetch(a_job(), 2, receiver.url())
        assert receiver.connections == 1


def test_what_a_provider_wrote_into_our_bucket_is_copied(
    fetcher: VettedOutputFetcher, s3: Any, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.put_object(Bucket=bucket, Key="bedrock/abc/output.mp4", Body=MP4)
    address = f"s3://{bucket}/bedrock/abc/output.mp4"

    assert fetcher.fetch(CLIP_JOB, 2, address) == KEY
    assert kept(s3, bucket) == MP4

    with pytest.raises(ResponseInvalid, match="not there"):
        fetcher.fetch(CLIP_JOB, 2, f"s3://{bucket}/bedrock/nothing")
    with pytest.raises(OutputInvalid, match="not where"):
        fetcher.fetch(CLIP_JOB, 2, "s3://somebody-elses/bedrock/abc/output.mp4")
    s3.put_object(Bucket=bucket, Key="bedrock/page", Body=b"<html></html>")
    with pytest.raises(OutputInvalid, match="readable clip"):
        fetcher.fetch(CLIP_JOB, 2, f"s3://{bucket}/bedrock/page")
    monkeypatch.setattr(outputs.fetcher, "OUTPUT_BYTES_MAX", 10)
    with pytest.raises(OutputInvalid, match="too large"):
        fetcher.fetch(CLIP_JOB, 2, address)
