"""What the adapters make of the services' answers, the rare ones first."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError

from shoal.adapters.aws.eventbridge import EventBridgeBus
from shoal.adapters.aws.s3 import OUTPUT_BYTES_MAX, S3Outputs, S3Staging
from shoal.adapters.aws.secrets import LIFETIME_MS, Secret
from shoal.adapters.aws.sqs import SqsPollQueue
from shoal.adapters.aws.stepfunctions import StepFunctionsTaskTokens, StepFunctionsWorkflow
from shoal.domain.errors import OutputInvalid, Unavailable
from shoal.domain.events import ending_events
from shoal.domain.provider import SIMULATOR
from shoal.ports.jobs import ExecutionState, Look
from tests.fakes import FakeClock
from tests.support.factories import ACCOUNT, JOB, a_completed_job, a_job, url_of

MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:shoal-unit-generate"
EXECUTION = f"arn:aws:states:eu-west-1:123456789012:execution:shoal-unit-generate:{JOB}"


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "Operation")


class Client:
    """A boto3 client of one answer: what any operation returns, or raises."""

    def __init__(self, answer: Any = None) -> None:
        self.answer = answer
        self.calls: list[dict[str, Any]] = []

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(**arguments: Any) -> Any:
            self.calls.append({"operation": operation} | arguments)
            if isinstance(self.answer, Exception):
                raise self.answer
            return self.answer

        return call


def workflow(answer: Any) -> tuple[StepFunctionsWorkflow, Client]:
    client: Any = Client(answer)
    return StepFunctionsWorkflow(client, MACHINE), client


def test_a_machines_version_is_started_and_its_executions_name_none() -> None:
    client: Any = Client({})
    newest = MACHINE.removesuffix("generate") + "generate-batch"
    starting = StepFunctionsWorkflow(client, MACHINE, [f"{newest}:2", f"{MACHINE}:7"])
    job = a_job()

    assert starting.start(job)
    assert client.calls[-1]["stateMachineArn"] == f"{MACHINE}:7"
    starting.stop(job)
    assert client.calls[-1]["executionArn"].endswith(f":execution:shoal-unit-generate:{job.execution}")


def test_an_execution_is_named_after_its_job() -> None:
    starting, client = workflow({})

    assert starting.start(a_job())
    assert client.calls == [
        {
            "operation": "start_execution",
            "stateMachineArn": MACHINE,
            "name": JOB,
            "input": json.dumps({"account_id": ACCOUNT, "job_id": JOB, "simulated": True}),
        }
    ]


def test_an_execution_knows_that_its_work_is_simulated() -> None:
    starting, client = workflow({})

    starting.start(a_job(provider=SIMULATOR))
    starting.start(a_job(provider="fal"))

    told = [json.loads(call["input"]).get("simulated") for call in client.calls]
    assert told == [True, None], "as an earlier version started them all"


def test_a_job_of_several_outputs_runs_on_the_machine_for_several() -> None:
    job = a_job(output_count=3)
    starting, client = workflow({"status": "RUNNING"})

    starting.start(job)
    starting.state(job)
    starting.stop(job)

    assert client.calls[0]["stateMachineArn"] == f"{MACHINE}-batch"
    assert json.loads(client.calls[0]["input"]) == {
        "account_id": ACCOUNT,
        "job_id": JOB,
        "simulated": True,
        "indexes": [0, 1, 2],
    }
    arn = EXECUTION.replace("generate:", "generate-batch:")
    assert [call["executionArn"] for call in client.calls[1:]] == [arn, arn]


def test_an_execution_that_exists_is_not_started_again() -> None:
    assert not workflow(refusal("ExecutionAlreadyExists"))[0].start(a_job())


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ({"status": "RUNNING"}, ExecutionState.RUNNING),
        ({"status": "SUCCEEDED"}, ExecutionState.ENDED),
        ({"status": "ABORTED"}, ExecutionState.ENDED),
        (refusal("ExecutionDoesNotExist"), ExecutionState.ABSENT),
    ],
)
def test_an_execution_runs_has_ended_or_is_not_there(answer: Any, state: ExecutionState) -> None:
    asking, client = workflow(answer)

    assert asking.state(a_job()) is state
    assert client.calls[0]["executionArn"] == EXECUTION


def test_stopping_what_is_not_there_is_no_error() -> None:
    workflow(refusal("ExecutionDoesNotExist"))[0].stop(a_job())
    with pytest.raises(ClientError):
        workflow(refusal("AccessDeniedException"))[0].stop(a_job())


UNREACHABLE = [
    refusal("ThrottlingException"),
    refusal("ServiceUnavailable"),
    refusal("com.amazonaws.states#ThrottlingException"),
    ReadTimeoutError(endpoint_url="https://states"),
    ConnectTimeoutError(endpoint_url="https://states"),
]


@pytest.mark.parametrize("error", UNREACHABLE)
def test_a_service_out_of_reach_is_unavailable_and_to_be_tried_again(error: Exception) -> None:
    client: Any = Client(error)
    job, stage = a_job(), StepFunctionsWorkflow(client, MACHINE)
    reaching: list[Callable[[], object]] = [
        lambda: stage.start(job),
        lambda: stage.state(job),
        lambda: stage.stop(job),
        lambda: StepFunctionsTaskTokens(client).succeed("token", {}),
        lambda: StepFunctionsTaskTokens(client).fail("token", "Error", "cause"),
        lambda: EventBridgeBus(client, "bus").publish(ending_events(a_completed_job(), url_of)),
        lambda: SqsPollQueue(client, "url", "play").send(Look(job.account_id, job.id, 0), delay_seconds=0),
        lambda: S3Staging(client, "bucket").put(job, 0, io.BytesIO()),
        lambda: S3Staging(client, "bucket").read("key"),
        lambda: S3Staging(client, "bucket").find_staged(job, 0),
        lambda: S3Outputs(client, "bucket").put("key", b"", "image/png", expires_at_ms=None),
        lambda: S3Outputs(client, "bucket").delete(["key"]),
        lambda: S3Staging(client, "bucket").put_input("key", b""),
        Secret(client, "arn", FakeClock()),
    ]
    for reach in reaching:
        with pytest.raises(Unavailable) as unavailable:
            reach()
        assert unavailable.value.headers["Retry-After"] == "1"


@pytest.mark.parametrize("code", ["AccessDeniedException", "ValidationException", "StateMachineDoesNotExist"])
def test_what_trying_again_cannot_help_is_not_called_unavailable(code: str) -> None:
    with pytest.raises(ClientError):
        workflow(refusal(code))[0].start(a_job())


@pytest.mark.parametrize("code", ["TaskTimedOut", "TaskDoesNotExist"])
def test_a_token_nobody_waits_for_is_no_error(code: str) -> None:
    client: Any = Client(refusal(code))

    assert not StepFunctionsTaskTokens(client).succeed("token", {})
    assert not StepFunctionsTaskTokens(client).fail("token", "Error", "cause")


def test_a_token_is_answered_with_json_or_an_error_that_fits() -> None:
    client: Any = Client({})
    tokens = StepFunctionsTaskTokens(client)

    assert tokens.succeed("token", {"outputs": []})
    assert tokens.fail("token", "ProviderFailed", "x" * 40_000)
    assert client.calls[0] | {} == {
        "operation": "send_task_success",
        "taskToken": "token",
        "output": '{"outputs": []}',
    }
    assert len(client.calls[1]["cause"]) == 32_768


def test_events_go_to_the_bus_as_entries_of_shoal() -> None:
    client: Any = Client({"FailedEntryCount": 0})
    events = ending_events(a_completed_job(), url_of)

    EventBridgeBus(client, "shoal-unit").publish(events)

    (call,) = client.calls
    assert [(entry["EventBusName"], entry["Source"]) for entry in call["Entries"]] == [
        ("shoal-unit", "shoal")
    ] * 2
    assert [json.loads(entry["Detail"]) for entry in call["Entries"]] == [event.detail for event in events]
    assert [entry["DetailType"] for entry in call["Entries"]] == ["image.completed", "job.completed"]


def test_an_entry_the_bus_did_not_take_is_not_published() -> None:
    client: Any = Client({"FailedEntryCount": 1})

    with pytest.raises(Unavailable):
        EventBridgeBus(client, "bus").publish(ending_events(a_completed_job(), url_of))


def test_the_bus_is_given_ten_entries_at_a_time_and_never_none() -> None:
    client: Any = Client({"FailedEntryCount": 0})
    two = ending_events(a_completed_job(), url_of)

    EventBridgeBus(client, "bus").publish(two * 6)
    EventBridgeBus(client, "bus").publish([])

    assert [len(call["Entries"]) for call in client.calls] == [10, 2]


@pytest.mark.parametrize(("simulated", "url"), [(False, "url"), (True, "play")])
def test_a_poll_message_is_the_whole_look_in_the_queue_of_its_kind_of_work(simulated: bool, url: str) -> None:
    client: Any = Client({})

    look = Look(ACCOUNT, JOB, 2, once=True, looks=3, simulated=simulated)
    SqsPollQueue(client, "url", "play").send(look, delay_seconds=7)

    (call,) = client.calls
    assert (call["QueueUrl"], call["DelaySeconds"]) == (url, 7)
    assert json.loads(call["MessageBody"]) == {
        "account_id": ACCOUNT,
        "job_id": JOB,
        "index": 2,
        "once": True,
        "looks": 3,
        "simulated": simulated,
    }


def staged(length: int) -> Any:
    return Client({"ContentLength": length, "Body": io.BytesIO(b"picture")})


def test_staged_bytes_are_read_unless_they_are_gone_or_too_many() -> None:
    gone: Any = Client(refusal("NoSuchKey"))

    assert S3Staging(staged(OUTPUT_BYTES_MAX), "bucket").read("key") == b"picture"
    with pytest.raises(OutputInvalid, match="too large"):
        S3Staging(staged(OUTPUT_BYTES_MAX + 1), "bucket").read("key")
    with pytest.raises(OutputInvalid, match="gone"):
        S3Staging(gone, "bucket").read("key")


def test_staging_keys_derive_from_the_job() -> None:
    client: Any = Client({})

    assert S3Staging(client, "bucket").put(a_job(), 1, io.BytesIO(b"x")) == f"{ACCOUNT}/{JOB}/1"


def test_an_output_is_immutable_typed_and_cached_for_ever() -> None:
    client: Any = Client({})

    S3Outputs(client, "bucket").put("images/x/0.png", b"picture", "image/png", expires_at_ms=None)

    (call,) = client.calls
    assert (call["Key"], call["ContentType"]) == ("images/x/0.png", "image/png")
    assert (call["CacheControl"], call.get("Expires")) == ("public, max-age=31536000, immutable", None)
    assert "ContentDisposition" not in call


@pytest.mark.parametrize(
    "content_type", ["application/json", "text/plain", "model/gltf-binary", "application/zip"]
)
def test_what_no_browser_shows_or_plays_is_saved_to_a_file(content_type: str) -> None:
    client: Any = Client({})

    S3Outputs(client, "bucket").put("images/x/0-a1.bin", b"made", content_type, expires_at_ms=None)

    assert client.calls[0]["ContentDisposition"] == 'attachment; filename="0-a1.bin"'


def test_an_output_that_expires_is_cached_until_a_moment_whenever_a_cache_got_it() -> None:
    client: Any = Client({})

    S3Outputs(client, "bucket").put(
        "images/x/0.png", b"picture", "image/png", expires_at_ms=1_800_000_000_999
    )

    (call,) = client.calls
    assert (call["CacheControl"], call["Expires"]) == ("public", datetime(2027, 1, 15, 8, tzinfo=UTC))


def test_a_callers_picture_is_staged_under_the_key_it_was_given() -> None:
    client: Any = Client({})

    assert S3Staging(client, "bucket").put_input("inputs/in_1/0", b"cat") == "inputs/in_1/0"
    assert (client.calls[0]["Key"], client.calls[0]["Body"]) == ("inputs/in_1/0", b"cat")


def test_outputs_are_deleted_one_by_one() -> None:
    client: Any = Client({})

    S3Outputs(client, "bucket").delete(["images/x/0.png", "images/x/1.png"])

    assert [(call["operation"], call["Key"]) for call in client.calls] == [
        ("delete_object", "images/x/0.png"),
        ("delete_object", "images/x/1.png"),
    ]


def test_what_became_no_output_is_deleted_and_what_did_is_kept() -> None:
    job = a_completed_job()
    kept = [{"Key": output.key} for output in job.outputs]
    client: Any = Client({"Contents": [*kept, {"Key": f"images/{job.id}/left.png"}]})

    S3Outputs(client, "bucket").delete_leftovers(job)

    listed, *deleted = client.calls
    assert (listed["operation"], listed["Prefix"]) == ("list_objects_v2", f"images/{job.id}/")
    assert [(call["operation"], call["Key"]) for call in deleted] == [
        ("delete_object", f"images/{job.id}/left.png")
    ]


def test_a_secret_is_read_once_in_a_while() -> None:
    client: Any = Client({"SecretString": "one"})
    clock = FakeClock()
    secret = Secret(client, "arn", clock)
    assert [secret(), secret()] == ["one", "one"]
    client.answer = {"SecretString": "two"}

    clock.ms += LIFETIME_MS - 1
    assert secret() == "one"
    clock.ms += 1
    assert secret() == "two"
    assert len(client.calls) == 2
