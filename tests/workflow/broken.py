"""What breaks a copy of a machine: functions that fail, and a bus that refuses."""

from __future__ import annotations

import json
from collections.abc import Callable

from shoal.domain.job import Job
from tests.workflow.machine import Json, execution_input

Tamper = Callable[[Json], None]

RAISES = """
class {error}(Exception): pass
def handler(event, context):
    raise {error}("KeyError: 'arn:aws:dynamodb'")
"""

FAILS = """
import json, boto3
def handler(event, context):
    if {works}:
        boto3.client("lambda").invoke(FunctionName="{function}", Payload=json.dumps(event))
    raise type("{error}", (Exception,), {{}})("KeyError: 'arn:aws:dynamodb'")
"""
"""Stands in for a function that fails with an error of any name, before its work or after it."""

DIES_ONCE = """
import json, os, pathlib, boto3
def handler(event, context):
    died = pathlib.Path("{folder}", event["job_id"])
    if {works}:
        answer = boto3.client("lambda").invoke(FunctionName="{function}", Payload=json.dumps(event))
    if not died.exists():
        died.touch()
        os._exit(1)
    if not {works}:
        answer = boto3.client("lambda").invoke(FunctionName="{function}", Payload=json.dumps(event))
    return json.load(answer["Payload"])
"""
"""Stands in for a function whose process is killed once for each job, before its work or after it."""

NEVER_ANSWERS = "import time\ndef handler(event, context): time.sleep(3)"


def deafen(state: str, *, but: str = "") -> Tamper:
    """The bus refuses what `state` publishes, `but` for a type: only AWS itself may use such a source."""
    source = f"'Source': DetailType = '{but}' ? 'shoal' : 'aws.shoal'"

    def tamper(definition: Json) -> None:
        arguments = definition["States"][state]["Arguments"]
        arguments["Entries"] = arguments["Entries"].replace("'Source': 'shoal'", source)

    return tamper


def closed_execution(job: Job) -> Json:
    """What the queue of closed executions delivers of a failed one."""
    execution = json.dumps(execution_input(job))
    body = json.dumps({"detail": {"status": "FAILED", "input": execution}})
    return {"Records": [{"messageId": "1", "eventSource": "aws:sqs", "body": body}]}
