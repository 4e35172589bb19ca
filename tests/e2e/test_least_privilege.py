"""Every function at work in a cloud that checks each of its calls against its role."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from functools import partial
from unittest.mock import patch

import pytest
import requests

from infra.lambdas import registry
from infra.lambdas.function import Function
from infra.local.cloud import local_cloud
from shoal.adapters.dynamodb.breakers import breaker_key
from shoal.domain.catalog import load_catalog
from tests.fakes.providers.fal import FakeFal
from tests.fakes.providers.server import instead, telling
from tests.fakes.stripe import FakeStripe
from tests.local_cloud.lab import Lab
from tests.support.bus import BusLog
from tests.support.client import CALL_SECONDS_MAX
from tests.support.cloud import connect
from tests.support.deployed import Customer, Deployed, eventually
from tests.support.fixtures import pause_sweeper
from tests.support.mcp import call, value_of
from tests.support.media_files import still
from tests.support.payments import Till
from tests.support.receiver import Receiver, reply
from tests.support.site import Visitor, use_dashboard
from tests.support.tasks import MODEL, TasksClient
from tests.support.upstreams import operate
from tests.support.videos import VideosClient
from tests.support.webhooks import WebhooksClient
from tests.workflow.machine import Workshop

READS = """
import boto3
def handler(event, context):
    client = boto3.client("dynamodb")
    if event["how"] == "scan":
        return client.scan(TableName=event["table"])["Count"]
    return client.query(
        TableName=event["table"],
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": "WALLET#acc_1"}},
    )["Count"]
"""
MAKES_A_KEY = """
import boto3
def handler(event, context):
    client = boto3.client("dynamodb")
    key = {"pk": {"S": "KEY#" + "0" * 64}, "sk": {"S": "KEY"}}
    if event["put"]:
        return client.put_item(TableName=event["table"], Item=key | {"account_id": {"S": "acc_1"}})
    client.update_item(
        TableName=event["table"],
        Key=key,
        UpdateExpression=f"SET {event['attribute']} = :v",
        ExpressionAttributeValues={":v": {"S": "acc_1"}},
        ReturnValues="ALL_NEW",
    )
"""
DEADLINE_S = 90
"""Nothing here waits for it, and every function starts cold."""
HOOK = "http://127.0.0.1:9/nobody"
DENIED = ("AccessDenied", "not authorized to perform", "explicit deny")


@pytest.fixture(scope="module")
def provider() -> Iterator[FakeFal]:
    """A fake provider, whose work is done when it is first asked after."""
    with FakeFal() as fal:
        fal.states = ("COMPLETED",)
        yield fal


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, provider: FakeFal) -> Iterator[Deployed]:
    """The stack in a cloud of its own that enforces IAM; a webhook's second retry is left to a schedule."""
    folder = tmp_path_factory.mktemp("guarded")
    with (
        FakeStripe() as stripe,
        patch.dict(
            os.environ,
            {
                "SHOAL_WEBHOOK_RETRY_S": "1,1000",
                "SHOAL_PROVIDER_BASE_URLS": json.dumps({"fal": provider.url}),
                "SHOAL_STRIPE_URL": stripe.url,
            },
        ),
        local_cloud(
            folder, enforce_iam=True, provider_deadline_s=DEADLINE_S, clip_deadline_s=DEADLINE_S
        ) as cloud,
        requests.Session() as http,
    ):
        pause_sweeper(cloud)
        assert operate(cloud, "providers", "set-key", "fal", stdin=provider.key).exit_code == 0
        connect(stripe, cloud)
        deployed = Deployed(cloud, http, BusLog(cloud))
        use_payments(Till(deployed, stripe))
        yield deployed


def use_payments(till: Till) -> None:
    """A top-up that is paid, and goes back after a part of it was spent; one by a person at the dashboard."""
    customer = till.deployed.customer(usd="0")
    payment_id = till.pay(till.open(customer, load_catalog().top_up.dollars(1_000)))
    till.spend(customer)
    till.stripe.books.refund(payment_id, 1_000)
    till.tell(till.events_of(payment_id)[-1])
    assert till.deployed.wallet(customer).owed
    person = Visitor(till.deployed.cloud)
    checkout_id = person.buy(credits="10").rpartition("/")[2]
    till.stripe.books.pay(checkout_id)  # and no event tells of it: the page itself settles
    assert person.come_back(checkout_id).endswith("top_up=paid")
    assert person.found(r"<td class=\"num good\">[+](10)</td>", "/wallet?asset=credit")


def use_everything(guarded: Deployed, provider: FakeFal) -> None:
    """Walk through every function, and through every call that each of them makes."""
    customer = guarded.customer()
    workshop = Workshop.of(guarded)
    asked = [customer.client.request("GET", path) for path in ("/healthz", "/docs/api", "/nowhere")]
    assert [answer.status_code for answer in asked] == [200, 200, 404]
    for prompt in ("a shark", "[poll] a shark", "[callback] a shark", "[busy:1] a shark"):
        job = customer.client.wait(customer.client.submit(prompt))
        assert job["status"] == "completed", json.dumps(job)
    assert customer.client.wait(customer.client.submit("[fail] a shark"))["status"] == "failed"
    assert customer.client.cancel(customer.client.submit("[timeout] a shark")).status_code == 200
    assert customer.client.usage().status_code == 200
    use_tasks(guarded, customer)
    use_files(guarded, customer)
    use_tools(guarded, customer)
    use_webhooks(guarded, customer)
    use_a_provider(guarded, provider, customer)
    use_videos(guarded, workshop)
    use_the_functions_of_real_work(guarded, workshop)
    use_dashboard(guarded.cloud)
    lose_an_input(guarded, customer)
    lose_a_picture(workshop, customer)
    look_again(workshop, customer)
    abort(workshop, customer)
    sweep(workshop, customer)
    audit = guarded.invoke("audit-ledger", {})
    assert (audit["discrepancies"], audit["not_audited"], audit["ended"]) == (0, 0, True)
    assert audit["accounts"] > 0
    assert customer.client.wallet()["held"] == "$0.00"


def look_again(workshop: Workshop, customer: Customer) -> None:
    """The sweeper has a provider looked at that still has time."""
    job = workshop.processing(customer)
    workshop.deployed.make_due_while_waiting(job)
    assert workshop.deployed.sweep()["left"] >= 1
    assert customer.client.cancel(job.id).status_code == 200


def use_tasks(guarded: Deployed, customer: Customer) -> None:
    """Tasks of several outputs, edited pictures, outputs that expire, and all there is to read."""
    tasks = TasksClient(customer.client)
    task = tasks.wait(tasks.submit("mugs [fail]", num_outputs=3, ttl_seconds=60))
    assert len(task["output"]["urls"]) == 2
    for way in ("", "[poll]"):
        edited = tasks.submit(f"{way} at night", input_image_urls=task["output"]["urls"])
        assert tasks.wait(edited)["status"] == "completed"
    guarded.expire_outputs(guarded.job(customer, task["id"]))
    assert guarded.sweep()["deleted"] >= 1
    assert tasks.task(task["id"])["output"]["expired"]
    for path in ("/v1/tasks", "/v1/models", "/v1/models/flux", "/v1/usage/summary"):
        assert tasks.data("GET", path)
    assert tasks.data("POST", "/v1/quote", json={"model": MODEL, "prompt": "a mug"})
    canceled = tasks.submit("[timeout] mugs", num_outputs=2)
    assert tasks.data("POST", f"/v1/tasks/{canceled}/cancel")["status"] == "canceled"


def use_files(guarded: Deployed, customer: Customer) -> None:
    """A file that comes along, one that is uploaded, and an order that nothing follows; each is used."""
    client, tasks = customer.client, TasksClient(customer.client)
    picture = still()
    came = client.request("POST", "/v1/files", files={"file": ("a.png", picture)}).json()["data"]
    order = {"content_type": "image/png", "size_bytes": len(picture)}
    key = {"Idempotency-Key": "upload-1"}
    ordered, again = (client.request("POST", "/v1/files", json=order, headers=key).json() for _ in range(2))
    assert again["data"]["id"] == ordered["data"]["id"]
    file_id, upload = ordered["data"]["id"], ordered["data"]["upload"]
    assert tasks.data("GET", f"/v1/files/{file_id}")["status"] == "awaited"
    assert tasks.generate(input_image_urls=[file_id]).status_code == 422
    sent = requests.put(upload["url"], data=picture, headers=upload["headers"], timeout=CALL_SECONDS_MAX)
    assert sent.status_code == 200, sent.text
    assert tasks.data("GET", f"/v1/files/{file_id}")["status"] == "ready"
    used = [came["id"], file_id]
    assert tasks.wait(tasks.submit("at night", input_image_urls=used))["status"] == "completed"
    edit = {"model": MODEL, "prompt": "a mug", "input_image_urls": used}
    tool = partial(call, guarded.cloud.api_url, customer.key)
    quote_id = value_of(tool("quote", tool="generate_image", request=edit))["quote_id"]
    assert not tool("generate_image", quote_id=quote_id, **edit).is_error
    assert len(tasks.data("GET", "/v1/files")) == 2
    assert [client.request("DELETE", f"/v1/files/{each}").status_code for each in used] == [204, 204]


def use_tools(guarded: Deployed, customer: Customer) -> None:
    """Every tool, with pictures of both ways to ask for them and a video nobody can pay."""
    tool = partial(call, guarded.cloud.api_url, customer.key)
    video = {"idea": "sharks", "category": "science", "duration": 8, "aspect_ratio": "16:9"}
    made = customer.client.wait(customer.client.submit("a shark"))
    edit = {"model": MODEL, "prompt": "a mug", "input_image_urls": [made["image_url"]]}
    for name, request in (("generate_image", edit), ("create_video", video)):
        quote_id = value_of(tool("quote", tool=name, request=request))["quote_id"]
        spent = tool(name, quote_id=quote_id, **request)
        assert spent.is_error == (name == "create_video"), spent
    assert value_of(tool("get_job", job_id=made["job_id"]))["image_url"] == made["image_url"]
    assert value_of(tool("get_balance"))
    assert value_of(tool("list_models"))


def use_the_functions_of_real_work(guarded: Deployed, workshop: Workshop) -> None:
    """An execution that 0.1 began says nothing of simulated work: the functions of real work take it."""
    filmmaker = guarded.customer(usd="0", credits=20)
    video = guarded.accept_video(filmmaker, "sharks", 1)
    told = {"account_id": video.account_id, "job_id": video.id, "indexes": [0]}
    guarded.cloud.client("stepfunctions").start_execution(
        stateMachineArn=workshop.video.arn, name=video.id, input=json.dumps(told)
    )
    assert workshop.video.end(video.id) == "SUCCEEDED"


def use_videos(guarded: Deployed, workshop: Workshop) -> None:
    """Videos whose clips come at once and later, that fail, that are canceled, and one whose clip is lost."""
    filmmaker = guarded.customer(usd="0", credits=20)
    videos = VideosClient(filmmaker.client)
    ready = videos.wait(videos.submit("[poll:scene=1] sharks", 2))
    assert ready["status"] == "ready"
    burned = videos.wait(videos.submit("[callback] sharks", subtitles="burned", webhook_url=HOOK))
    assert burned["status"] == "ready"
    for video, addresses in ((ready, 2), (burned, 1)):
        urls = [video["final_video_url"], video["narration_audio_url"], video["poster_url"]]
        urls += [scene["clip_url"] for scene in video["scenes"]]
        assert len(urls) == 3 + addresses
        assert [guarded.http.get(url).status_code for url in urls] == [200] * len(urls)
        assert {guarded.http.get(url.partition("?")[0]).status_code for url in urls} == {403}
    told = value_of(call(guarded.cloud.api_url, filmmaker.key, "get_job", job_id=ready["id"]))
    assert guarded.http.get(told["final_video_url"]).status_code == 200
    for dialect in (f"/v1/jobs/{ready['id']}", f"/v1/tasks/{ready['id']}", "/v1/tasks", "/api/v1/videos"):
        assert filmmaker.client.request("GET", dialect).status_code == 200
    assert videos.wait(videos.submit("[fail] sharks"))["status"] == "failed"
    canceled = videos.submit("[timeout] sharks")
    eventually(lambda: guarded.job(filmmaker, canceled).provider_refs)
    assert videos.cancel(canceled).status_code == 200
    lose_a_clip(workshop, filmmaker)
    aborted = videos.submit("[slow:5] sharks")
    eventually(lambda: guarded.job(filmmaker, aborted).provider_refs)
    workshop.video.abort(aborted)
    assert videos.wait(aborted)["status"] == "ready"
    guarded.make_due(guarded.job(filmmaker, canceled))
    assert guarded.sweep()["deleted"] >= 1
    assert videos.credits() == (16, 0)


def lose_a_clip(workshop: Workshop, filmmaker: Customer) -> None:
    """A delivered clip is gone when it is to be stored."""
    videos = VideosClient(filmmaker.client)
    video_id = videos.submit("[timeout] sharks")
    job = eventually(
        lambda: job if (job := workshop.deployed.job(filmmaker, video_id)).provider_refs else None
    )
    workshop.answer(job, {"output": {"key": f"{job.account_id}/{job.id}/9"}})
    assert videos.wait(video_id)["error"]["message"] == "The provider's output is gone."


def use_webhooks(guarded: Deployed, customer: Customer) -> None:
    """Webhooks of endpoints that take events, that fail and that are gone; all there is to do with them."""
    webhooks = WebhooksClient(customer.client)
    with Receiver() as good, Receiver(reply(500)) as failing, Receiver(reply(410)) as gone:
        kept, _ = webhooks.subscribe(good.url(), "*")
        left, _ = webhooks.subscribe(gone.url(), "image.*")
        webhooks.subscribe(failing.url(), "image.*")
        assert webhooks.call("POST", f"/{kept}/test")["delivery"]["status"] == "delivered"
        assert webhooks.call("POST", f"/{kept}/rotate")["secret"]
        assert customer.client.request("POST", "/v1/webhook-secret").status_code == 201
        customer.client.submit("a shark", webhook_url=good.url("/mine"))
        eventually(lambda: not webhooks.webhook(left)["enabled"])
        eventually(lambda: webhooks.deliveries(kept, type="webhook.disabled", status="delivered"))
        eventually(lambda: schedules(guarded))
        eventually(lambda: [each for each in good.requests if each.path == "/mine"])
        first = webhooks.deliveries(kept)[-1]
        webhooks.call("POST", f"/{kept}/deliveries/{first['id']}/resend")
        webhooks.call("POST", f"/{kept}/recover", json={"since": webhooks.webhook(kept)["created_at"]})
        assert len(webhooks.call("GET", "")["webhooks"]) == 3
        body = {"enabled": True}
        assert customer.client.request("PATCH", f"/api/v1/webhooks/{left}", json=body).status_code == 200
        eventually(lambda: len(webhooks.deliveries(kept)[-1]["attempts"]) == 2)
    assert customer.client.request("DELETE", f"/api/v1/webhooks/{left}").status_code == 204
    assert customer.client.request("GET", "/v1/webhook-secret").status_code == 200


def use_a_provider(guarded: Deployed, provider: FakeFal, customer: Customer) -> None:
    """A picture of a provider's that is polled for, and one that it turns us away for."""
    tasks = TasksClient(customer.client)
    assert tasks.wait(tasks.submit("a mug", model="flux"))["status"] == "completed"
    provider.will(instead(telling({"detail": "Authentication is required."}, 401)))
    assert tasks.wait(tasks.submit("a mug", model="flux"))["error"]["code"] == "provider_failed"
    item = guarded.table.get(*breaker_key("fal/fal-ai/flux/dev"))
    assert item is not None
    assert item["reason"].startswith("fal answered 401")


def schedules(guarded: Deployed) -> list[str]:
    """The names of the retries that wait for their time."""
    found = guarded.cloud.client("scheduler").list_schedules(GroupName="shoal-local-retries")
    return [schedule["Name"] for schedule in found["Schedules"]]


def lose_an_input(guarded: Deployed, customer: Customer) -> None:
    """A picture to edit is gone when the provider is asked again."""
    tasks, s3 = TasksClient(customer.client), guarded.cloud.client("s3")
    original = tasks.wait(tasks.submit("a mug"))["output"]["url"]
    task_id = tasks.submit("[slow:2] at night", input_image_urls=[original])
    job = eventually(lambda: job if (job := guarded.job(customer, task_id)).provider_refs else None)
    (key,) = job.brief.input_keys
    s3.delete_object(Bucket=guarded.cloud.outputs["StagingBucketName"], Key=key)
    assert tasks.wait(task_id)["error"]["code"] == "output_invalid"


def lose_a_picture(workshop: Workshop, customer: Customer) -> None:
    """A delivered object is gone when it is to be stored."""
    job = workshop.processing(customer)
    workshop.answer(job, {"output": {"key": f"{job.account_id}/{job.id}/9"}})
    assert customer.client.wait(job.id)["error"] == "The provider's output is gone."


def abort(workshop: Workshop, customer: Customer) -> None:
    """An execution is stopped from outside: another one takes over."""
    job = workshop.processing(customer, "[slow:5] a shark")
    workshop.machine.abort(job.id)
    assert customer.client.wait(job.id)["status"] == "completed"


def sweep(workshop: Workshop, customer: Customer) -> None:
    """The sweeper starts jobs, one of them again that outlived its execution, and closes late ones."""
    deployed = workshop.deployed
    unstarted, bereft = deployed.accept(customer), deployed.accept(customer)
    workshop.machine.start(unstarted, name=bereft.id)
    assert workshop.machine.end(bereft.id) == "SUCCEEDED"
    unstarted, unstarted_batch = deployed.accept(customer), deployed.accept_task(customer, "mugs", 2)
    late, late_batch = workshop.processing(customer), workshop.processing_batch(customer, 2)
    for job in (unstarted, unstarted_batch, bereft, late, late_batch):
        deployed.make_due(job)
    swept = deployed.sweep()
    assert swept["started"] >= 3
    assert swept["closed"] >= 2
    for job in (unstarted, unstarted_batch, bereft):
        assert customer.client.wait(job.id)["status"] == "completed"


def logged(guarded: Deployed, function: Function) -> str:
    """All that a function has logged."""
    group = f"/aws/lambda/shoal-local-{function.verb.replace('_', '-')}"
    pages = guarded.cloud.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
    return "\n".join(event["message"] for page in pages for event in page["events"])


def test_every_function_works_with_what_its_role_allows(guarded: Deployed, provider: FakeFal) -> None:
    use_everything(guarded, provider)

    for function in registry.functions():
        log = eventually(partial(logged, guarded, function))
        assert "START RequestId" in log, f"{function.verb} was not called"
        assert not any(denied in log for denied in DENIED), f"{function.verb} was denied a call:\n{log}"


def test_a_role_allows_nothing_else(guarded: Deployed) -> None:
    functions = guarded.cloud.client("lambda")
    lab = Lab(guarded.cloud.endpoint)

    def read_as(verb: str, how: str) -> str | None:
        role = functions.get_function_configuration(FunctionName=f"shoal-local-{verb}")["Role"]
        asked = {"table": guarded.cloud.outputs["TableName"], "how": how}
        error: str | None = lab.invoke(lab.function(READS, role=role), asked)["error"]
        return error

    assert read_as("audit-ledger", "query") is None
    assert read_as("sweep-jobs", "query") == "Unhandled"
    assert read_as("store-output", "query") == "Unhandled"
    assert read_as("audit-ledger", "scan") == "Unhandled"


@pytest.mark.parametrize("verb", ["submit-job", "read-models", "cancel-job", "manage-webhooks", "operate"])
def test_a_role_that_reaches_keys_makes_none(guarded: Deployed, verb: str) -> None:
    """What counts a request, or suspends an account, writes of a key only what that takes."""
    functions = guarded.cloud.client("lambda")
    lab = Lab(guarded.cloud.endpoint)
    role = functions.get_function_configuration(FunctionName=f"shoal-local-{verb}")["Role"]
    writer = lab.function(MAKES_A_KEY, role=role)

    def said(attribute: str, *, put: bool = False) -> str:
        asked = {"table": guarded.cloud.outputs["TableName"], "attribute": attribute, "put": put}
        return json.dumps(lab.invoke(writer, asked)["body"])

    for attribute in ("account_id", "scopes", "prefix", "id"):
        assert "AccessDenied" in said(attribute)
    assert "AccessDenied" in said("", put=True)
    assert said("suspended" if verb == "operate" else "tat") == "null"
