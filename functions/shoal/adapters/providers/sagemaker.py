"""Asynchronous endpoints of Amazon SageMaker AI, in the stage's own account: input and output in S3.

https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference.html: an invocation names an object to read
and is answered with the two objects it will write one of, the output or the reason of a failure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from shoal.adapters.aws.client import error_code, unavailable_when_unreachable
from shoal.adapters.providers.kit.aws_calls import port_errors
from shoal.adapters.providers.kit.body import CHUNK_BYTES, FileBody, JsonBody, fill, write_json
from shoal.adapters.providers.kit.fields import parse_object
from shoal.adapters.providers.kit.http import body_for
from shoal.adapters.providers.kit.refusals import is_content_refusal
from shoal.adapters.providers.kit.routed import NO_OUTPUT, file_at, input_of, output_in
from shoal.domain.errors import (
    REFUSED_BY_MODERATION,
    CallbackRefused,
    OutcomeUnknown,
    ProviderFailed,
    ProviderRejected,
    ProviderUnusable,
)
from shoal.domain.provider import Answer, Done, Pending, ProviderOutput, ProviderRequest

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

NAME = "sagemaker"
POLL_SECONDS = 10
_PLACE = re.compile(r"s3://(?P<bucket>[a-z0-9.-]{3,63})/(?P<key>[A-Za-z0-9!_.*'()/=-]{1,900})")


class SageMaker:
    """Implements the `Provider` port. It has no idempotency: to invoke twice is to run, and pay for, two.

    `bucket` takes inputs, and the endpoints write to it: the S3OutputPath and S3FailurePath of each.
    A reference is both places, of the output and of the failure, with a space between them. `runtime`,
    `control` and `store` make clients of `sagemaker-runtime`, `sagemaker` and S3 when they are first needed.
    """

    idempotent = False

    def __init__(
        self,
        runtime: Callable[[], Any],
        control: Callable[[], Any],
        store: Callable[[], S3Client],
        *,
        bucket: str,
    ) -> None:
        self._runtime = runtime
        self._control = control
        self._store = store
        self._bucket = bucket

    def test(self) -> str:
        """Which endpoints are in service, in words for the operator. Raises as `start` does."""
        with port_errors(NAME, repeatable=True):
            listed = self._control().list_endpoints(StatusEquals="InService", MaxResults=100)
        names = [str(each.get("EndpointName")) for each in listed.get("Endpoints", ())]
        return f"in service: {', '.join(names) or 'no endpoint'}"

    def start(self, request: ProviderRequest) -> Answer:
        key = f"{NAME}/{request.idempotency_key}/input.json"
        with unavailable_when_unreachable():
            self._store().put_object(
                Bucket=self._bucket,
                Key=key,
                Body=write_json(input_of(request)),
                ContentType="application/json",
            )
        with port_errors(NAME, repeatable=False):
            answer = self._runtime().invoke_endpoint_async(
                EndpointName=request.provider_model,
                ContentType="application/json",
                InputLocation=f"s3://{self._bucket}/{key}",
                InferenceId=request.idempotency_key,
            )
            places = str(answer.get("OutputLocation")), str(answer.get("FailureLocation"))
        if not all(map(_PLACE.fullmatch, places)):
            raise OutcomeUnknown(f"{NAME} did not say where it writes")
        return Pending(" ".join(places), POLL_SECONDS)

    def check(self, ref: str, request: ProviderRequest) -> Answer:
        output, _, failure = ref.partition(" ")
        if head := self._find(output):
            return Done(self._output(output, head, request), ref)
        if self._find(failure):
            said = self._read(failure, FileBody()).start.decode("utf-8", "replace")
            if is_content_refusal(said):
                raise ProviderRejected(REFUSED_BY_MODERATION)
            raise ProviderFailed("The provider failed to generate the output.")
        return Pending(ref, POLL_SECONDS)

    def parse_callback(self, headers: Mapping[str, str], body: bytes, now_ms: int) -> Answer:  # noqa: ARG002
        raise CallbackRefused("SageMaker does not call back")

    def bills_called_off(self, request: ProviderRequest) -> bool:  # noqa: ARG002 (the port's signature)
        """An invocation cannot be stopped, and takes an instance's time."""
        return True

    def cancel(self, ref: str) -> None:
        """An invocation cannot be stopped."""

    def _output(self, place: str, head: Mapping[str, str], request: ProviderRequest) -> ProviderOutput:
        """The object itself, whose bytes stay in S3, or what the route's paths find in its JSON."""
        body = body_for(head)
        if not isinstance(body, JsonBody) or not request.outputs:
            return ProviderOutput(url=place, content_type=head["Content-Type"])
        self._read(place, body)

        def file_of(told: Any) -> ProviderOutput | None:
            if (file := file_at(told)) or not isinstance(told, str):
                return file
            if told.startswith(f"s3://{self._bucket}/{NAME}/"):
                return ProviderOutput(url=told)
            try:
                return ProviderOutput(file=body.decode_base64(told))
            except ValueError:  # binascii.Error among them
                return None

        answer = parse_object(body.document)
        found = output_in(answer, request, shortened=body.shortened, file_of=file_of)
        if found is None:
            raise ProviderFailed(NO_OUTPUT)
        return found

    def _find(self, place: str) -> Mapping[str, str] | None:
        """An object's content type, None while it is not there. Raises `ProviderUnusable` for another's."""
        bucket, key = self._parts(place)
        try:
            with unavailable_when_unreachable():
                head = self._store().head_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if error_code(error) == "404":
                return None
            raise
        return {"Content-Type": head.get("ContentType", "")}

    def _read(self, place: str, body: FileBody | JsonBody) -> FileBody | JsonBody:
        bucket, key = self._parts(place)
        with unavailable_when_unreachable():
            answer = self._store().get_object(Bucket=bucket, Key=key)
            fill(body, answer["Body"].iter_chunks(CHUNK_BYTES))
        return body

    def _parts(self, place: str) -> tuple[str, str]:
        found = _PLACE.fullmatch(place)
        if not found or found["bucket"] != self._bucket:
            raise ProviderUnusable(f"{NAME}: its endpoint writes to {place[:200]}, not to {self._bucket}")
        return found["bucket"], found["key"]
