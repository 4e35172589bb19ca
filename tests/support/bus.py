"""Everything that was put on the stack's bus, as a rule with a queue behind it sees it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from jsonschema import Draft4Validator

from infra.documents.bus_resources import bus_schemas
from infra.local.cloud import LocalCloud
from tests.support.contract import closed

Json = dict[str, Any]


class BusLog:
    """Starts with the events published after it was made. Each is held against its published schema."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._sqs, events = cloud.client("sqs"), cloud.client("events")
        name, bus = f"log-{uuid4().hex}", cloud.outputs["EventBusName"]
        self._queue = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        attributes = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])
        pattern = json.dumps({"source": ["shoal"]})
        events.put_rule(Name=name, EventBusName=bus, EventPattern=pattern)
        target = {"Id": "queue", "Arn": attributes["Attributes"]["QueueArn"]}
        events.put_targets(Rule=name, EventBusName=bus, Targets=[target])
        self._schemas = {name: Draft4Validator(closed(schema)) for name, schema in bus_schemas().items()}
        self._seen: list[Json] = []
        self._reading = threading.Lock()

    def of(self, job_id: str) -> list[Json]:
        """Every event about the job that is on the bus by now, repeated ones too.

        The local bus hands an event to its queues before PutEvents returns: nothing is still on its way.
        """
        return [event for event in self.everything() if event["detail"]["data"].get("job_id") == job_id]

    def everything(self) -> list[Json]:
        """Every event that is on the bus by now."""
        with self._reading:
            self._seen += self._unread()
            return list(self._seen)

    def types_of(self, job_id: str) -> list[str]:
        """The types of the events about the job, sorted: a queue keeps no order."""
        return sorted(event["detail-type"] for event in self.of(job_id))

    def told_of(self, job_id: str) -> list[str]:
        """The same, with an event that was repeated by its id once, as its subscribers take it."""
        by_id = {event["detail"]["id"]: event["detail-type"] for event in self.of(job_id)}
        return sorted(by_id.values())

    def _unread(self) -> Iterator[Json]:
        while messages := self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            entries = [{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(messages)]
            self._sqs.delete_message_batch(QueueUrl=self._queue, Entries=entries)
            yield from map(self._checked, (json.loads(message["Body"]) for message in messages))

    def _checked(self, event: Json) -> Json:
        made_up = "id" not in event["detail"]  # by a test's own stand-in for a task of the machine
        schema = self._schemas[event["detail-type"]]
        wrong = [] if made_up else [error.message for error in schema.iter_errors(event)]
        assert not wrong, f"{event}\n" + "\n".join(wrong)
        return event
