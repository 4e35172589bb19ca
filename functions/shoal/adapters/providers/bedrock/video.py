"""Clips by Luma Ray on Amazon Bedrock: asynchronous invocations that write to S3."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from shoal.adapters.providers.bedrock.images import NAME, check_access
from shoal.adapters.providers.kit.aws_calls import lost_answer, port_errors
from shoal.adapters.providers.kit.fields import media_type, nearest_ratio
from shoal.adapters.providers.kit.refusals import is_content_refusal
from shoal.adapters.providers.kit.routed import routed_input
from shoal.adapters.providers.kit.wording import prompt_of
from shoal.domain.errors import REFUSED_BY_MODERATION, CallbackRefused, ProviderFailed, ProviderRejected
from shoal.domain.provider import Answer, Done, Pending, ProviderOutput, ProviderRequest, StagedInput

if TYPE_CHECKING:
    from mypy_boto3_bedrock_runtime import BedrockRuntimeClient

POLL_SECONDS = 10
RATIOS = ("1:1", "16:9", "9:16", "4:3", "3:4", "21:9", "9:21")
LENGTHS_S = (5, 9)
CLIP_FILE = "output.mp4"


class BedrockVideos:
    """Implements the `Provider` port. The token of a start makes it safe to repeat: same token, same clip.

    `output_uri` is the bucket and prefix, `s3://…`, that Bedrock writes to. An output is an S3 address below
    it, so that its bytes go from bucket to bucket and through no function's memory.
    """

    idempotent = True

    def __init__(self, client: BedrockRuntimeClient, *, output_uri: str) -> None:
        self._client = client
        self._output_uri = output_uri.rstrip("/")

    def test(self) -> str:
        return check_access(self._client)

    def start(self, request: ProviderRequest) -> Pending:
        target = f"{self._output_uri}/{request.idempotency_key}"
        with port_errors(NAME, repeatable=True):
            answer = self._client.start_async_invoke(
                clientRequestToken=request.idempotency_key,
                modelId=request.provider_model,
                modelInput=_input(request) if request.input is None else routed_input(request.input, _source),
                outputDataConfig={"s3OutputDataConfig": {"s3Uri": target}},
            )
        if not answer.get("invocationArn"):
            raise lost_answer(NAME, "its answer names no invocation", repeatable=True)
        return Pending(answer["invocationArn"], POLL_SECONDS)

    def check(self, ref: str, request: ProviderRequest) -> Answer:  # noqa: ARG002 - the port's
        try:
            with port_errors(NAME, repeatable=True):
                work = self._client.get_async_invoke(invocationArn=ref)
        except ProviderRejected as error:  # there is nothing of a caller's in it
            raise ProviderFailed("The provider knows no such work.") from error
        if not work.get("status"):
            raise lost_answer(NAME, "its answer is none about an invocation", repeatable=True)
        if work["status"] == "Completed":
            folder = str(work.get("outputDataConfig", {}).get("s3OutputDataConfig", {}).get("s3Uri", ""))
            if not folder.startswith(f"{self._output_uri}/"):
                raise ProviderFailed("The provider delivered no output.")
            return Done(ProviderOutput(url=f"{folder.rstrip('/')}/{CLIP_FILE}"))
        if work["status"] == "Failed":
            if is_content_refusal(str(work.get("failureMessage", ""))):
                raise ProviderRejected(REFUSED_BY_MODERATION)
            raise ProviderFailed("The provider failed to generate the output.")
        return Pending(ref, POLL_SECONDS)

    def parse_callback(self, headers: Mapping[str, str], body: bytes, now_ms: int) -> Answer:  # noqa: ARG002
        raise CallbackRefused("Bedrock does not call back")

    def bills_called_off(self, request: ProviderRequest) -> bool:  # noqa: ARG002 (the port's signature)
        """An invocation cannot be stopped, and is billed."""
        return True

    def cancel(self, ref: str) -> None:
        """An invocation cannot be stopped."""


def _input(request: ProviderRequest) -> dict[str, Any]:
    """Luma Ray's fields. The shortest length that is long enough; it is cut later."""
    wanted = request.seconds or 0
    seconds = next((length for length in LENGTHS_S if length >= wanted), LENGTHS_S[-1])
    fields: dict[str, Any] = {
        "prompt": prompt_of(request),
        "aspect_ratio": nearest_ratio(request.brief.width_px, request.brief.height_px, RATIOS),
        "loop": False,
        "duration": f"{seconds}s",
        "resolution": "540p" if min(request.brief.width_px, request.brief.height_px) <= 540 else "720p",
    }
    if request.inputs:
        first = request.inputs[0]
        source = _source(StagedInput(first, media_type(first)))
        fields["keyframes"] = {"frame0": {"type": "image", "source": source}}
    return fields


def _source(file: StagedInput) -> dict[str, str]:
    return {
        "type": "base64",
        "media_type": file.content_type,
        "data": base64.b64encode(file.data).decode(),
    }
