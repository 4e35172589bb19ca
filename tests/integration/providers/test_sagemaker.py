"""SageMaker's adapter against the fake SageMaker and a real table of objects."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from infra.local.aws import Endpoint
from shoal.adapters.http.vetted_http import VettedHttp
from shoal.adapters.outputs.fetcher import VettedOutputFetcher
from shoal.adapters.providers.sagemaker import SageMaker
from shoal.domain.addresses import AddressRules
from shoal.domain.errors import (
    CallbackRefused,
    OutcomeUnknown,
    ProviderBusy,
    ProviderFailed,
    ProviderRejected,
    ProviderUnusable,
)
from shoal.domain.provider import Done, OutputPath, Pending, ProviderOutput, ProviderRequest, StagedInput
from tests.fakes.providers.aws import REGION, error
from tests.fakes.providers.media import png
from tests.fakes.providers.sagemaker import ENDPOINT, FakeSageMaker
from tests.fakes.providers.server import Told, broken_off, garbage, instead, lost, telling
from tests.integration.providers.aws import opened, set_credentials
from tests.support.factories import a_job
from tests.support.providers import NOW_MS, asking, delivered

REQUEST = asking(provider_model=ENDPOINT, seed=7)
PICTURE = png(64, 64)


@pytest.fixture
def s3(endpoint: Endpoint) -> Any:
    return endpoint.client("s3")


@pytest.fixture
def bucket(s3: Any) -> str:
    name = f"staging-{uuid4().hex}"
    s3.create_bucket(Bucket=name)
    return name


@pytest.fixture
def fake(s3: Any, bucket: str) -> Iterator[FakeSageMaker]:
    with FakeSageMaker(s3, bucket) as fake:
        yield fake
        assert fake.problems == []


@pytest.fixture
def sagemaker(
    fake: FakeSageMaker, s3: Any, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SageMaker]:
    set_credentials(monkeypatch)
    with opened("sagemaker-runtime", fake.url) as runtime, opened("sagemaker", fake.url) as control:
        yield SageMaker(lambda: runtime, lambda: control, lambda: s3, bucket=bucket)


def begun(sagemaker: SageMaker, request: ProviderRequest = REQUEST) -> str:
    answer = sagemaker.start(request)
    assert isinstance(answer, Pending)
    assert answer.ref
    return answer.ref


def output(sagemaker: SageMaker, ref: str, request: ProviderRequest = REQUEST) -> ProviderOutput:
    done = sagemaker.check(ref, request)
    assert isinstance(done, Done)
    return done.output


def test_a_work_is_begun_asked_for_and_done(
    fake: FakeSageMaker, sagemaker: SageMaker, s3: Any, bucket: str
) -> None:
    ref = begun(sagemaker)
    (work,) = fake.invocations
    assert work.inference_id == "job_1-0"
    assert work.given == {"prompt": "a red fox", "width": 1024, "height": 576, "seed": 7}
    assert sagemaker.check(ref, REQUEST) == Pending(ref, 10)
    fake.succeed(PICTURE, "image/png")
    assert output(sagemaker, ref) == ProviderOutput(
        url=f"s3://{bucket}/{work.output}", content_type="image/png"
    ), "its bytes stay in S3"
    staged = VettedOutputFetcher(VettedHttp(AddressRules()), s3, bucket).fetch(
        a_job(), 0, f"s3://{bucket}/{work.output}"
    )
    assert s3.get_object(Bucket=bucket, Key=staged)["Body"].read() == PICTURE


def test_to_start_twice_is_two_works(fake: FakeSageMaker, sagemaker: SageMaker) -> None:
    first, second = begun(sagemaker), begun(sagemaker)
    assert not sagemaker.idempotent
    assert first != second
    assert len(fake.invocations) == 2


def test_a_routes_input_goes_as_it_is_with_its_files(fake: FakeSageMaker, sagemaker: SageMaker) -> None:
    given = {"inputs": "a reef", "parameters": {"steps": 4, "image": StagedInput(PICTURE, "image/png")}}
    begun(sagemaker, asking(provider_model=ENDPOINT, input=given))
    data = base64.b64encode(PICTURE).decode()
    assert fake.invocations[0].given == {
        "inputs": "a reef",
        "parameters": {"steps": 4, "image": f"data:image/png;base64,{data}"},
    }


@pytest.mark.parametrize("size", [10, 400_000])
def test_an_output_within_json_is_found_by_the_routes_paths(
    fake: FakeSageMaker, sagemaker: SageMaker, bucket: str, size: int
) -> None:
    request = asking(
        provider_model=ENDPOINT,
        outputs=(OutputPath("made[0].image"), OutputPath("made[0].preview", extra=True)),
    )
    ref = begun(sagemaker, request)
    preview = f"s3://{bucket}/sagemaker/preview.png"
    data = PICTURE + bytes(size)
    made = [{"image": base64.b64encode(data).decode(), "preview": preview}]
    fake.succeed(json.dumps({"made": made}).encode(), "application/json")
    found = output(sagemaker, ref, request)
    assert found.extras == (ProviderOutput(url=preview),)
    assert delivered(Done(found)) == data


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"image": "no base64"},
        {"image": 4},
        {"image": "s3://elsewhere/a"},
        {"image": "s3://{bucket}/acct/job"},
    ],
)
def test_what_is_no_output_in_the_json_is_none(
    fake: FakeSageMaker, sagemaker: SageMaker, bucket: str, told: dict[str, Any]
) -> None:
    request = asking(provider_model=ENDPOINT, outputs=(OutputPath("image"),))
    ref = begun(sagemaker, request)
    fake.succeed(json.dumps(told).replace("{bucket}", bucket).encode(), "application/json")
    with pytest.raises(ProviderFailed, match="no output"):
        sagemaker.check(ref, request)


@pytest.mark.parametrize(
    ("said", "raised"),
    [
        ('{"code": 500, "message": "CUDA out of memory"}', ProviderFailed),
        ("NSFW content detected in the output", ProviderRejected),
        ("", ProviderFailed),
    ],
)
def test_a_failure_is_read_where_it_was_to_be(
    fake: FakeSageMaker, sagemaker: SageMaker, said: str, raised: type[Exception]
) -> None:
    ref = begun(sagemaker)
    fake.fail(said)
    with pytest.raises(raised):
        sagemaker.check(ref, REQUEST)


def test_an_endpoint_that_writes_elsewhere_is_unusable(fake: FakeSageMaker, sagemaker: SageMaker) -> None:
    fake.bucket = "somewhere-else"
    ref = begun(sagemaker)
    with pytest.raises(ProviderUnusable, match="somewhere-else"):
        sagemaker.check(ref, REQUEST)


def test_an_unknown_endpoint_is_the_operators(sagemaker: SageMaker) -> None:
    with pytest.raises(ProviderUnusable, match="nowhere of account"):
        sagemaker.start(asking(provider_model="nowhere"))


def test_an_invocation_whose_answer_is_lost_is_unknown(fake: FakeSageMaker, sagemaker: SageMaker) -> None:
    nowhere = telling({"InferenceId": "a"}, 202)
    for fault in (lost(), broken_off(), garbage(), instead(nowhere)):
        before = len(fake.requests)
        fake.will(fault)
        with pytest.raises(OutcomeUnknown):
            sagemaker.start(REQUEST)
        assert len(fake.requests) == before + 1


@pytest.mark.parametrize(
    ("told", "raised"),
    [
        (error(503, "ServiceUnavailable", "busy"), ProviderBusy),
        (error(500, "InternalFailure", "oops"), ProviderBusy),
        (error(400, "ThrottlingException", "slow down"), ProviderBusy),
        (Told(502, b"<html>"), OutcomeUnknown),
        (error(403, "AccessDeniedException", "not authorized"), ProviderUnusable),
    ],
)
def test_refusals_have_their_class(
    fake: FakeSageMaker, sagemaker: SageMaker, told: Told, raised: type[Exception]
) -> None:
    fake.will(instead(told))
    with pytest.raises(raised):
        sagemaker.start(REQUEST)


def test_the_access_is_tested(fake: FakeSageMaker, sagemaker: SageMaker) -> None:
    assert sagemaker.test() == f"in service: {ENDPOINT}"
    fake.will(instead(error(403, "AccessDeniedException", "not authorized")))
    with pytest.raises(ProviderUnusable):
        sagemaker.test()


def test_nothing_is_called_back_and_nothing_called_off(fake: FakeSageMaker, sagemaker: SageMaker) -> None:
    with pytest.raises(CallbackRefused):
        sagemaker.parse_callback({}, b"", NOW_MS)
    ref = begun(sagemaker)
    sagemaker.cancel(ref)
    assert sagemaker.bills_called_off(REQUEST)
    assert fake.region == REGION
