"""The adapter of a platform team's own worker, against a fake that is strict with the contract."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

import pytest

from shoal.adapters.aws.provider_keys import ProviderKeys
from shoal.adapters.providers.registry import ProviderRegistry
from shoal.adapters.providers.worker import Worker
from shoal.adapters.system import SystemClock
from shoal.composition import upstreams
from shoal.domain.errors import (
    CallbackRefused,
    NotFound,
    ProviderBusy,
    ProviderFailed,
    ProviderRejected,
    ProviderUnusable,
)
from shoal.domain.provider import Done, OutputPath, Pending, ProviderOutput, StagedInput
from shoal.settings import UpstreamSettings
from tests.fakes.providers.media import png
from tests.fakes.providers.replicate import new_secret
from tests.fakes.providers.server import Told, broken_off, instead, lost, telling
from tests.fakes.providers.worker import FakeWorker
from tests.support.providers import NOW_MS, NOW_S, asking, delivered, plain_failures, repeatable

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

REQUEST = asking(provider_model="sdxl", seed=7, index=2)
URL = "https://files.example/1"
PICTURE = png(16, 16)


@pytest.fixture
def fake() -> Iterator[FakeWorker]:
    with FakeWorker() as fake:
        yield fake
        assert fake.problems == []


@pytest.fixture
def worker(fake: FakeWorker) -> Worker:
    return Worker("http-gpu", lambda: fake.address, lambda: fake.key, SystemClock())


def test_a_work_is_started_asked_for_and_done(fake: FakeWorker, worker: Worker) -> None:
    assert worker.start(REQUEST) == Pending("job_1-0", 10)
    assert fake.started["job_1-0"] == {
        "type": "start",
        "id": "job_1-0",
        "model": "sdxl",
        "input": {"prompt": "a red fox", "width": 1024, "height": 576, "seed": 9},
        "callback_url": REQUEST.callback_url,
    }
    fake.answer_of = {"status": "working", "check_after_seconds": 45}
    assert worker.check("job_1-0", REQUEST) == Pending("job_1-0", 45)
    fake.answer_of = {
        "status": "done",
        "outputs": [{"url": URL, "content_type": "video/mp4"}, {"url": f"{URL}b"}],
    }
    assert worker.check("job_1-0", REQUEST) == Done(
        ProviderOutput(url=URL, content_type="video/mp4", extras=(ProviderOutput(url=f"{URL}b"),)), "job_1-0"
    )


def test_a_start_under_the_same_key_is_the_same_work(fake: FakeWorker, worker: Worker) -> None:
    assert worker.idempotent
    repeatable(fake, lambda: worker.start(REQUEST))
    assert worker.start(REQUEST) == Pending("job_1-0", 10)
    assert list(fake.started) == ["job_1-0"]
    assert len({asked.headers["webhook-id"] for asked in fake.requests}) == 1


@pytest.mark.parametrize("said", [0, -1, True, "5", None, 1.5])
def test_a_wait_that_is_none_is_ours(fake: FakeWorker, worker: Worker, said: Any) -> None:
    fake.answer_of = {"status": "working", "check_after_seconds": said}
    assert worker.start(REQUEST) == Pending("job_1-0", 10)


def test_an_output_may_come_in_the_answer(fake: FakeWorker, worker: Worker) -> None:
    fake.answer_of = {"status": "done", "outputs": [{"data": base64.b64encode(PICTURE).decode()}]}
    assert delivered(worker.start(REQUEST)) == PICTURE


def test_a_routes_input_goes_as_it_is_and_its_paths_find_the_output(fake: FakeWorker, worker: Worker) -> None:
    fake.answer_of = {"status": "done", "outputs": [], "result": {"caption": "A reef."}}
    request = asking(
        provider_model="caption",
        input={"picture": StagedInput(PICTURE, "image/png"), "words": 3},
        outputs=(OutputPath("result.caption", as_="text"),),
    )
    assert delivered(worker.start(request)) == b"A reef."
    data = base64.b64encode(PICTURE).decode()
    assert fake.started["job_1-0"]["input"] == {"picture": f"data:image/png;base64,{data}", "words": 3}


def test_a_clip_and_an_edit_have_their_fields(fake: FakeWorker, worker: Worker) -> None:
    worker.start(asking(provider_model="wan", seconds=8, inputs=(PICTURE,), negative_prompt="fog"))
    given = fake.started["job_1-0"]["input"]
    assert (given["seconds"], given["negative_prompt"], len(given["images"])) == (8, "fog", 1)


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        ({"status": "failed", "message": "out of memory"}, ProviderFailed, "failed to generate"),
        ({"status": "failed", "message": "NSFW content detected"}, ProviderRejected, "moderation"),
        ({"status": "refused"}, ProviderRejected, "moderation"),
        ({"status": "canceled"}, ProviderFailed, "stopped"),
        ({"status": "unknown"}, ProviderFailed, "no such work"),
        ({"status": "done"}, ProviderFailed, "no output"),
        ({"status": "done", "outputs": [{"url": "file:///etc/passwd"}, 4]}, ProviderFailed, "no output"),
        ({"status": "done", "outputs": [{"data": "no base64"}]}, ProviderBusy, "base64"),
        ({"status": "asleep"}, ProviderBusy, "status"),
        ({}, ProviderBusy, "status"),
    ],
)
def test_what_is_no_output_has_its_class(
    fake: FakeWorker, worker: Worker, answer: dict[str, Any], error: type[Exception], says: str
) -> None:
    worker.start(REQUEST)
    fake.answer_of = answer
    with pytest.raises(error, match=says):
        worker.check("job_1-0", REQUEST)


def test_statuses_of_http_have_their_class(fake: FakeWorker, worker: Worker) -> None:
    plain_failures(fake, lambda: worker.start(REQUEST))
    fake.will(instead(telling({"error": "no such model"}, 422)))
    with pytest.raises(ProviderRejected, match="parameters"):
        worker.start(REQUEST)


def test_a_redirect_is_not_followed(fake: FakeWorker, worker: Worker) -> None:
    fake.will(instead(Told(307, b"", {"Location": f"{fake.url}/elsewhere"})))
    with pytest.raises(ProviderUnusable, match="307"):
        worker.start(REQUEST)
    assert [asked.path for asked in fake.requests] == ["/shoal"]


def test_a_worker_with_another_secret_is_the_operators(fake: FakeWorker) -> None:
    worker = Worker("http-gpu", lambda: fake.address, new_secret, SystemClock())
    with pytest.raises(ProviderUnusable, match="401"):
        worker.test()


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_%%"])
def test_a_secret_that_is_none_is_the_operators(fake: FakeWorker, secret: str) -> None:
    worker = Worker("http-gpu", lambda: fake.address, lambda: secret, SystemClock())
    with pytest.raises(ProviderUnusable, match="whsec_"):
        worker.start(REQUEST)
    assert fake.requests == []


def test_the_secret_is_tested(worker: Worker) -> None:
    assert worker.test() == "worker answered unknown"


def test_canceling_may_be_repeated(fake: FakeWorker, worker: Worker) -> None:
    worker.start(REQUEST)
    for fault in (lost(), broken_off()):
        fake.will(fault)
        with pytest.raises(ProviderBusy):
            worker.cancel("job_1-0")
    worker.cancel("job_1-0")
    worker.cancel("gone")
    assert set(fake.canceled) == {"job_1-0", "gone"}
    assert worker.bills_called_off(REQUEST)


def test_a_callback_names_the_work_that_ended(fake: FakeWorker, worker: Worker) -> None:
    headers, body = fake.callback({"type": "ended", "id": "job_1-0"}, at_s=NOW_S)
    assert worker.parse_callback(headers, body, NOW_MS) == Pending("job_1-0", 0)


@pytest.mark.parametrize(
    ("body", "how"),
    [
        ({"type": "ended", "id": "job_1-0"}, {"secret": new_secret()}),
        ({"type": "ended", "id": "job_1-0"}, {"at_s": NOW_S - 301}),
        ({"type": "ended", "id": "job_1-0"}, {"at_s": NOW_S + 301}),
        ({"type": "start", "id": "job_1-0"}, {}),
        ({"type": "ended", "id": "a/b"}, {}),
        ({"type": "ended", "id": 4}, {}),
        ({"type": "ended"}, {}),
    ],
)
def test_any_other_callback_is_refused(
    fake: FakeWorker, worker: Worker, body: dict[str, Any], how: dict[str, Any]
) -> None:
    headers, sent = fake.callback(body, **({"at_s": NOW_S} | how))
    with pytest.raises(CallbackRefused):
        worker.parse_callback(headers, sent, NOW_MS)


class Secrets:
    """A Secrets Manager with one secret, and what it was asked for."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self._fields = fields
        self.asked: set[str] = set()

    def get_secret_value(self, *, SecretId: str) -> dict[str, str]:  # noqa: N803 - the service's word
        self.asked.add(SecretId)
        return {"SecretString": json.dumps(self._fields)}


def reach(secrets: Secrets, urls: Mapping[str, str]) -> upstreams.Reach:
    settings = {
        "stage": "reef",
        "table": "t",
        "catalog_bucket": "c",
        "keyless_providers": "",
        "provider_base_urls": json.dumps(urls),
    }
    keys = ProviderKeys(cast("SecretsManagerClient", secrets), "reef", SystemClock())
    return upstreams.Reach(UpstreamSettings.model_validate(settings), keys)


@pytest.mark.parametrize("moved", [False, True])
def test_a_stage_asks_a_worker_where_it_is_with_its_own_secret(fake: FakeWorker, moved: bool) -> None:
    secrets = Secrets({"key": fake.key, "address": "https://nowhere.invalid" if moved else fake.address})
    up = reach(secrets, {"http-gpu": fake.address} if moved else {})
    providers = ProviderRegistry(upstreams.Makers({}, up), up.has)

    assert providers.has("http-gpu")
    assert providers.get("http-gpu").start(REQUEST) == Pending("job_1-0", 10)
    assert secrets.asked == {"shoal/reef/providers/http-gpu"}
    assert not providers.has("nobody")
    with pytest.raises(NotFound):
        providers.get("nobody")


def test_a_worker_without_an_address_is_the_operators() -> None:
    made = upstreams.testable(reach(Secrets({"key": new_secret()}), {}))["http"]()
    with pytest.raises(ProviderUnusable, match="no address of http is set"):
        made.test()
