"""A fake SageMaker: asynchronous invocations that read and write S3, and the list of endpoints.

Headers, members and errors are those of botocore's models of `sagemaker-runtime` and `sagemaker`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from tests.fakes.providers.aws import FakeAws, error
from tests.fakes.providers.server import Asked, Malformed, Told, telling

ENDPOINT = "sdxl-async"
_S3 = re.compile(r"s3://(?P<bucket>[^/]+)/(?P<key>.+)")
_HEADERS = {
    "x-amzn-sagemaker-content-type",
    "x-amzn-sagemaker-accept",
    "x-amzn-sagemaker-inference-id",
    "x-amzn-sagemaker-inputlocation",
    "x-amzn-sagemaker-requestttlseconds",
    "x-amzn-sagemaker-invocationtimeoutseconds",
}


@dataclass(frozen=True)
class Invocation:
    """One work: what it was given, and the keys of the two objects of which it writes one."""

    inference_id: str
    given: dict[str, Any] = field(repr=False)
    output: str
    failure: str


class FakeSageMaker(FakeAws):
    """`store` is a client of S3, `bucket` where the endpoint's configuration says that it writes."""

    service = "sagemaker"
    routes = (
        ("POST", "/endpoints/(?P<name>[^/]+)/async-invocations", "invoke"),
        ("POST", "/", "control"),
    )

    def __init__(self, store: Any, bucket: str) -> None:
        super().__init__()
        self.bucket = bucket
        self.invocations: list[Invocation] = []
        self._store = store

    def invoke(self, asked: Asked) -> Told:
        assert asked.matched
        if asked.matched["name"] != ENDPOINT:
            said = f"Endpoint {asked.matched['name']} of account 123456789012 not found."
            return error(400, "ValidationError", said)
        own = {name for name in asked.headers if name.startswith("x-amzn-sagemaker-")}
        if unknown := own - _HEADERS:
            raise Malformed(unknown.pop(), "is no member of the request")
        inference_id = asked.headers.get("x-amzn-sagemaker-inference-id", str(uuid4()))
        if len(inference_id) > 64:
            raise Malformed("InferenceId", "is longer than 64")
        if asked.headers.get("x-amzn-sagemaker-content-type") != "application/json":
            raise Malformed("ContentType", "is not what the model reads")
        given = self._read(asked.headers.get("x-amzn-sagemaker-inputlocation", ""))
        place = uuid4()
        work = Invocation(inference_id, given, f"out/{place}.out", f"failed/{place}-error.out")
        self.invocations.append(work)
        headers = {
            "X-Amzn-SageMaker-OutputLocation": f"s3://{self.bucket}/{work.output}",
            "X-Amzn-SageMaker-FailureLocation": f"s3://{self.bucket}/{work.failure}",
        }
        return telling({"InferenceId": inference_id}, 202, headers)

    def control(self, asked: Asked) -> Told:
        if asked.headers.get("x-amz-target") != "SageMaker.ListEndpoints":
            raise Malformed("path", "unknown operation", status=404)
        wanted = json.loads(asked.body)
        if wanted != {"StatusEquals": "InService", "MaxResults": 100}:
            raise Malformed("body", "is not what is expected")
        listed = {"EndpointName": ENDPOINT, "EndpointArn": f"arn:aws:sagemaker:::endpoint/{ENDPOINT}"}
        return telling({"Endpoints": [listed]}, headers={"Content-Type": "application/x-amz-json-1.1"})

    def succeed(self, data: bytes, content_type: str, number: int = 0) -> None:
        """A work writes its output."""
        self._write(self.invocations[number].output, data, content_type)

    def fail(self, said: str, number: int = 0) -> None:
        """A work writes why it has none."""
        self._write(self.invocations[number].failure, said.encode(), "application/json")

    def _write(self, key: str, data: bytes, content_type: str) -> None:
        self._store.put_object(Bucket=self.bucket, Key=key, Body=data, ContentType=content_type)

    def _read(self, place: str) -> dict[str, Any]:
        if not (found := _S3.fullmatch(place)):
            raise Malformed("InputLocation", "is no address of S3")
        answer = self._store.get_object(Bucket=found["bucket"], Key=found["key"])
        given: dict[str, Any] = json.loads(answer["Body"].read())
        return given
