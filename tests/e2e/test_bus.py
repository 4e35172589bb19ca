"""Subscribers of the bus: the example takes an event of each type once, and the documents show them all.

`make examples` writes the documents' examples again.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from string import Template
from typing import Any
from uuid import uuid4

import pytest
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from infra.documents import bus_examples
from infra.documents.bus_resources import bus_schemas
from infra.local.assembly import Assembly
from infra.local.processes import run
from infra.paths import ROOT
from shoal.adapters.aws.eventbridge import EventBridgeBus
from shoal.adapters.dynamodb.breakers import DynamoDbBreakers
from shoal.adapters.dynamodb.directory import DynamoDbDirectory
from shoal.adapters.dynamodb.outbox import DynamoDbOutbox
from shoal.adapters.system import SystemClock
from shoal.domain.breaker import Outcome
from shoal.domain.events import Event, catalog_published_event, discrepancy_event
from shoal.domain.grant import Decision
from shoal.domain.ids import first_ulid_at
from shoal.domain.models.versions import Published
from shoal.domain.money import Asset
from shoal.domain.routing import Route
from shoal.domain.wallet import EntryKind, Movement
from shoal.domain.webhook import DisabledReason, Secrets, Subscription, disabled_event
from shoal.ports.routing import Pass
from tests.e2e.recording import HOOK, Recording
from tests.support.deployed import Customer, Deployed, eventually

Json = dict[str, Any]

EXAMPLE = ROOT / "examples" / "subscriber-cdk"
WRITE = "SHOAL_WRITE_EXAMPLES"
VIDEO = {"category": "story", "duration": 8, "aspect_ratio": "9:16"}
VIDEO_SECONDS_MAX = 120.0
ROUTE = Route(provider="stability", model="a-route-of-nothing")
STILL = {
    "id": "7c9f3a52-1e0b-4d6f-8a24-5b7e9d013c68",
    "account": "123456789012",
    "region": "eu-west-1",
    "time": "2026-05-08T10:30:13Z",
}
"""What EventBridge says around an event."""


class Unseen:
    """Breakers of which nothing was read before."""

    def breakers(self) -> Json:
        return {}

    def outdate(self) -> None:
        """Nothing is kept."""

    def read_ahead(self) -> None:
        """Nothing is kept."""


@pytest.fixture(scope="module")
def subscriber(deployed: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The outputs of the example's stack, deployed as its README says.

    It goes with the last of these tests: what others make up as events, it would give up.
    """
    folder = tmp_path_factory.mktemp("subscriber")
    context = json.dumps({"bus": deployed.cloud.outputs["EventBusName"]})
    env = {**os.environ, "CDK_OUTDIR": str(folder / "cdk.out"), "CDK_CONTEXT_JSON": context}
    run([sys.executable, "app.py"], env=env, log=folder / "synth.log", cwd=EXAMPLE)
    Assembly(folder / "cdk.out").deploy(deployed.cloud.endpoint)
    cloudformation = deployed.cloud.client("cloudformation")
    (stack,) = cloudformation.describe_stacks(StackName="shoal-subscriber")["Stacks"]
    yield {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    cloudformation.delete_stack(StackName="shoal-subscriber")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="shoal-subscriber")


@pytest.mark.timeout(300)
def test_the_example_takes_an_event_of_each_type_once(deployed: Deployed, subscriber: dict[str, str]) -> None:
    account_id = happened(deployed)
    told = [event for event in deployed.bus.everything() if is_of(event, account_id)]
    assert {event["detail-type"] for event in told} == set(bus_schemas())
    again = [Event(event["detail-type"], event["detail"]) for event in told]
    EventBridgeBus(deployed.cloud.client("events"), deployed.cloud.outputs["EventBusName"]).publish(again)

    expected = Counter({event["detail"]["id"]: 1 for event in told})
    eventually(lambda: taken(deployed, subscriber) >= expected, seconds_max=60)
    assert taken(deployed, subscriber) & expected == expected
    assert max(taken(deployed, subscriber).values()) == 1
    counts = counted(deployed, subscriber)
    assert counts.keys() >= set(bus_schemas())
    assert counts["account.suspended"] == 1, "what is told of other accounts is counted, too"
    kept_as_examples(deployed, told)


def taken(deployed: Deployed, subscriber: dict[str, str]) -> Counter[str]:
    """How often the example printed each event that it took, by its id."""
    logs = deployed.cloud.client("logs")
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=f"/aws/lambda/{subscriber['SubscriberName']}"
    )
    lines = "\n".join(event["message"] for page in pages for event in page["events"])
    return Counter(re.findall(r"^took \S+ (evt_\w+) ", lines, flags=re.MULTILINE))


def counted(deployed: Deployed, subscriber: dict[str, str]) -> Counter[str]:
    """What the example's own code made of the events: how many of each type it took."""
    items = deployed.cloud.client("dynamodb").scan(TableName=subscriber["TableName"])["Items"]
    counts = {item["id"]["S"]: int(item["events"]["N"]) for item in items if "events" in item}
    return Counter({name.removeprefix("count of "): count for name, count in counts.items()})


def is_of(event: Json, account_id: str) -> bool:
    detail = event["detail"]
    stages_own = ROUTE.name == detail["data"].get("route") or detail["type"] == "catalog.published"
    return stages_own or account_id == str(detail["account_id"])


def happened(deployed: Deployed) -> str:
    """All that events tell of has happened to this account, or to its stage."""
    customer = deployed.customer("1.06", credits=2)
    jobs(customer)
    eventually(lambda: deployed.wallet(customer).held == 0)
    operators_act(deployed, customer)
    deployed.sweep()
    return customer.account_id


def jobs(customer: Customer) -> None:
    """Each family completes and fails once. The video leaves few credits."""
    client = customer.client
    for idea, status in (("Why sharks glow", "ready"), ("[nsfw] Why sharks glow", "failed")):
        video = client.request("POST", "/api/v1/videos", json=VIDEO | {"idea": idea}).json()["video"]
        read = partial(client.request, "GET", f"/api/v1/videos/{video['id']}")
        eventually(partial(has_ended, read, status), seconds_max=VIDEO_SECONDS_MAX)
    for prompt in ("[nsfw] A shark", "A shark"):
        task = {"model": "nanobanana", "prompt": prompt}
        client.wait(client.request("POST", "/v1/generate", json=task).json()["data"]["id"])
        client.wait(client.submit(prompt, metadata={"order": 42}))


def has_ended(read: Callable[[], Any], status: str) -> bool:
    return bool(read().json()["video"]["status"] == status)


def operators_act(deployed: Deployed, customer: Customer) -> None:
    """What operators do to an account and what they are told of, as the product's own adapters write it."""
    now_ms, accounts = SystemClock().now_ms(), deployed.accounts
    because = Decision("op@example.com", "The picture was empty.")
    back = Movement(
        customer.account_id,
        Asset.USD,
        EntryKind.GIVE_BACK,
        first_ulid_at(now_ms),
        now_ms,
        balance_delta=10_000,
        note="operator",
    )
    assert accounts.give_grant(back, because)
    key, *_ = accounts.keys.of_account(customer.account_id)
    accounts.revoke_key(customer.account_id, key.id)
    DynamoDbBreakers(deployed.table, Unseen()).note(
        ROUTE, Outcome.UNUSABLE, Pass(), now_ms, reason="401 Unauthorized"
    )
    off = discrepancy_event(
        customer.account_id, Asset.USD, "balance", expected=1_060_000, found=1_050_000, now_ms=now_ms
    )
    hook = Subscription(
        id=f"wh_{first_ulid_at(now_ms)}",
        account_id=customer.account_id,
        name="n8n production",
        url="https://hooks.example.com/shoal",
        events=("*",),
        secrets=Secrets("sealed"),
        created_at_ms=now_ms,
        updated_at_ms=now_ms,
        enabled=False,
        disabled_reason=DisabledReason.GONE,
        disabled_at_ms=now_ms,
    )
    published = Published(
        number=2,
        version="bb59b6d220c1858675c9f4327146170c",
        previous="0e6f1f0c0a3d4d2a9b1f5f3c7a2e8d41",
        at_ms=now_ms,
        by="arn:aws:iam::123456789012:user/operator",
        note="Prices of December",
    )
    told = [off, disabled_event(hook), catalog_published_event(published)]
    DynamoDbOutbox(deployed.table).add(told)
    DynamoDbDirectory(deployed.table).suspend(customer.account_id, now_ms)


def kept_as_examples(deployed: Deployed, told: Sequence[Json]) -> None:
    """What the documents show of each type is what was told, but for ids, moments and addresses."""
    by_type: dict[str, Json] = {}
    for event in sorted(told, key=lambda event: (event["detail"]["created_at"], event["detail-type"])):
        by_type.setdefault(event["detail-type"], event)
    tour = Recording(deployed.cloud.api_url, HOOK)
    found = {name: tour.still(by_type[name] | STILL) for name in sorted(by_type)}
    if os.environ.get(WRITE):
        text = json.dumps(found, indent=1, ensure_ascii=False)
        bus_examples.FILE.write_text(text + "\n", encoding="utf-8")
    kept = json.loads(bus_examples.FILE.read_text(encoding="utf-8"))
    assert {name: form(each) for name, each in found.items()} == {
        name: form(each) for name, each in kept.items()
    }, "events hold something else: look at it, then `make examples`"


def form(value: Any) -> Any:
    """The fields of an event, without what is in them."""
    return {name: form(each) for name, each in value.items()} if isinstance(value, dict) else None


HOW_TO = (ROOT / "docs/how-to/subscribe.md").read_text(encoding="utf-8")


def block(language: str, containing: str) -> str:
    """The code of the how-to that contains this."""
    found = re.findall(rf"^```{language}\n(.*?)^```$", HOW_TO, flags=re.MULTILINE | re.DOTALL)
    (code,) = [each for each in found if containing in each]
    return str(code)


def arguments(command: str, **values: str) -> Json:
    """What an `aws` command of the how-to asks, as the SDK takes it, with these values for its variables."""
    words = shlex.split(Template(command.replace("\\\n", "")).substitute(values))[3:]
    pairs = zip(words[::2], words[1::2], strict=True)
    return {
        "".join(part.capitalize() for part in name.removeprefix("--").split("-")): value
        for name, value in pairs
    }


class Own:
    """A rule of the test's own on the stage's bus, with a queue behind it."""

    def __init__(self, deployed: Deployed, pattern: Json, transformer: Json | None = None) -> None:
        cloud, self.name = deployed.cloud, f"own-{uuid4().hex[:8]}"
        self._sqs, self._events = cloud.client("sqs"), cloud.client("events")
        self._queue = self._sqs.create_queue(QueueName=self.name)["QueueUrl"]
        asked = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])
        bus = {"EventBusName": cloud.outputs["EventBusName"]}
        self.arn = self._events.put_rule(Name=self.name, EventPattern=json.dumps(pattern), **bus)["RuleArn"]
        target: Json = {"Id": "queue", "Arn": asked["Attributes"]["QueueArn"]}
        if transformer:
            target["InputTransformer"] = transformer
        assert not self._events.put_targets(Rule=self.name, Targets=[target], **bus)["FailedEntryCount"]

    def got(self) -> Json:
        """The next event."""
        asked = eventually(lambda: self._sqs.receive_message(QueueUrl=self._queue).get("Messages"))
        self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=asked[0]["ReceiptHandle"])
        event: Json = json.loads(asked[0]["Body"])
        return event


def test_a_rule_of_ones_own_puts_the_envelope_of_cloudevents_around_an_event(deployed: Deployed) -> None:
    customer = deployed.customer()
    ended = {"detail-type": ["job.completed"], "detail": {"account_id": [customer.account_id]}}
    own = Own(deployed, {"source": ["shoal"]} | ended, json.loads(block("json", "InputPathsMap")))
    customer.client.wait(job_id := customer.client.submit("A shark"))

    event = CLOUDEVENTS.read(CloudEvent, json.dumps(own.got()))

    attributes = event.get_attributes()
    assert attributes.keys() == {*OF_CLOUDEVENTS, "traceparent", "datacontenttype"}
    told = (event.get_specversion(), event.get_type(), event.get_source(), event.get_datacontenttype())
    assert told == ("1.0", "job.completed", "shoal", "application/json")
    assert event.get_id().startswith("evt_")
    data, time = event.get_data(), event.get_time()
    assert isinstance(data, dict)
    assert data["job_id"] == job_id
    assert time is not None
    assert time.tzinfo


OF_CLOUDEVENTS = {"specversion", "id", "source", "type", "time"}
CLOUDEVENTS = JSONFormat()
"""The official package: it refuses what CloudEvents 1.0 does not call an event."""


def test_a_replay_brings_an_event_again_with_its_id(deployed: Deployed) -> None:
    customer, events = deployed.customer(), deployed.cloud.client("events")
    own = Own(deployed, {"source": ["shoal"], "detail": {"account_id": [customer.account_id]}})
    begun = datetime.now(UTC) - timedelta(minutes=1)
    deployed.sweep()  # its account and key were made
    first = own.got()

    bus = events.describe_event_bus(Name=deployed.cloud.outputs["EventBusName"])
    archive = events.describe_archive(ArchiveName=bus["Name"])["ArchiveArn"]
    asked = arguments(block("sh", "start-replay"), ARCHIVE_ARN=archive, BUS_ARN=bus["Arn"], RULE_ARN=own.arn)
    to = dict(each.split("=") for each in asked["Destination"].split(","))
    asked |= {"EventStartTime": begun, "EventEndTime": datetime.now(UTC) + timedelta(minutes=1)}
    asked["Destination"] = {"Arn": to["Arn"], "FilterArns": [to["FilterArns"]]}
    events.start_replay(**asked)

    found = eventually(lambda: again if (again := own.got()).get("replay-name") else None)
    assert found["replay-name"] == asked["ReplayName"]
    assert found["detail"]["account_id"] == customer.account_id
    assert first["detail"]["id"].startswith("evt_")
