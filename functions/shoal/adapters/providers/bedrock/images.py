"""Pictures by Stability's models on Amazon Bedrock, each in one call."""

from __future__ import annotations

import base64
from typing import IO, TYPE_CHECKING, Any

from shoal.adapters.providers.kit.at_once import AtOnce
from shoal.adapters.providers.kit.aws_calls import lost_answer, port_errors
from shoal.adapters.providers.kit.body import CHUNK_BYTES, JsonBody, fill
from shoal.adapters.providers.kit.fields import nearest_ratio, parse_object, seed_of
from shoal.adapters.providers.kit.routed import routed_input
from shoal.domain.errors import REFUSED_BY_MODERATION, ProviderFailed, ProviderRejected
from shoal.domain.provider import Done, ProviderOutput, ProviderRequest
from shoal.domain.text import json_text

if TYPE_CHECKING:
    from mypy_boto3_bedrock_runtime import BedrockRuntimeClient

NAME = "bedrock"
RATIOS = ("16:9", "1:1", "21:9", "2:3", "3:2", "4:5", "5:4", "9:16", "9:21")
SEEDS = 2**32 - 1
EDIT_STRENGTH = 0.7
"""How far an edited picture may go from its input, 0 to 1."""


class BedrockImages(AtOnce):
    """Implements the `Provider` port. If the answer is lost so is the picture, and it was paid for."""

    def __init__(self, client: BedrockRuntimeClient) -> None:
        self._client = client

    def test(self) -> str:
        return check_access(self._client)

    def start(self, request: ProviderRequest) -> Done:
        with port_errors(NAME, repeatable=False):
            answer = self._client.invoke_model(
                modelId=request.provider_model,
                contentType="application/json",
                accept="application/json",
                body=json_text(_input(request)),
            )
            body = JsonBody()
            fill(body, answer["body"].iter_chunks(CHUNK_BYTES))
        return Done(ProviderOutput(file=_picture(body)))


def check_access(client: BedrockRuntimeClient) -> str:
    """That Bedrock answers to the credentials: it lists asynchronous invocations, if there are any."""
    with port_errors(NAME, repeatable=True):
        answer = client.list_async_invokes(maxResults=1)
    if not isinstance(answer.get("asyncInvokeSummaries"), list):
        raise lost_answer(NAME, "its answer is no list", repeatable=True)
    return f"reached in {client.meta.region_name}"


def _input(request: ProviderRequest) -> dict[str, Any]:
    if request.input is not None:
        return routed_input(request.input, lambda file: base64.b64encode(file.data).decode())
    fields: dict[str, Any] = {"prompt": request.brief.prompt, "output_format": "png"}
    if len(request.inputs) > 1:
        raise ProviderRejected("This model edits one picture at a time.")
    if request.inputs:
        picture = base64.b64encode(request.inputs[0]).decode()
        fields |= {"mode": "image-to-image", "image": picture, "strength": EDIT_STRENGTH}
    else:
        ratio = nearest_ratio(request.brief.width_px, request.brief.height_px, RATIOS)
        fields |= {"mode": "text-to-image", "aspect_ratio": ratio}
    if (seed := seed_of(request, SEEDS)) is not None:
        fields["seed"] = seed
    if request.brief.negative_prompt:
        fields["negative_prompt"] = request.brief.negative_prompt
    return fields


def _picture(body: JsonBody) -> IO[bytes]:
    """The one picture of an answer. What a filter took comes with HTTP 200, its reason and no picture."""
    made = parse_object(body.document)
    reasons, pictures = made.get("finish_reasons"), made.get("images")
    if not isinstance(reasons, list) or not reasons:
        raise lost_answer(NAME, "its answer is none of a picture model's", repeatable=False)
    if isinstance(reasons[0], str) and reasons[0].lower().startswith("filter"):
        raise ProviderRejected(REFUSED_BY_MODERATION)
    if reasons[0] is not None or not isinstance(pictures, list) or not pictures:
        raise ProviderFailed("The provider failed to generate the output.")
    try:
        if isinstance(pictures[0], str) and pictures[0]:
            return body.decode_base64(pictures[0])
    except ValueError:
        pass
    raise ProviderFailed("The provider delivered no output.")
