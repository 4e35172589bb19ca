"""Scripts by a language model on Amazon Bedrock: Converse with a JSON schema for the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.adapters.providers.kit import script_prompt
from shoal.adapters.providers.kit.aws_calls import lost_answer, port_errors
from shoal.adapters.providers.kit.fields import objects
from shoal.domain.errors import REFUSED_BY_MODERATION, ProviderFailed, ProviderRejected
from shoal.domain.script import SceneText
from shoal.domain.text import json_text

if TYPE_CHECKING:
    from mypy_boto3_bedrock_runtime import BedrockRuntimeClient
    from mypy_boto3_bedrock_runtime.type_defs import OutputConfigTypeDef

TOKENS_PER_SCENE_MAX = 300
TEMPERATURE = 0.8

_OUTPUT: OutputConfigTypeDef = {
    "textFormat": {
        "type": "json_schema",
        "structure": {"jsonSchema": {"name": "script", "schema": json_text(script_prompt.SCHEMA)}},
    }
}


class BedrockScriptWriter:
    """Writes scripts. `model` is a model or an inference profile that can answer to a JSON schema."""

    def __init__(self, client: BedrockRuntimeClient, *, model: str) -> None:
        self._client = client
        self._model = model

    def test(self) -> str:
        """One word of the model, in words for the operator. Raises as `write` does."""
        with port_errors("bedrock", repeatable=True):
            self._client.converse(
                modelId=self._model,
                messages=[{"role": "user", "content": [{"text": "Say yes."}]}],
                inferenceConfig={"maxTokens": 1},
            )
        return f"{self._model} answers"

    def write(
        self,
        *,
        idea: str,
        category: str,
        scene_count: int,
        style: str | None,
        language: str,
        seed: int | None,  # noqa: ARG002 - Converse takes none
    ) -> tuple[SceneText, ...]:
        """A script. Asking again is harmless, so a lost answer is `ProviderBusy`.

        Raises `ProviderRejected` for what a filter or guardrail stopped, `ProviderFailed` for an answer
        that is cut off or no script, `ProviderBusy`, `ProviderUnusable`.
        """
        asked = script_prompt.order(
            idea=idea, category=category, scene_count=scene_count, style=style, language=language
        )
        with port_errors("bedrock", repeatable=True):
            answer = self._client.converse(
                modelId=self._model,
                system=[{"text": script_prompt.INSTRUCTIONS}],
                messages=[{"role": "user", "content": [{"text": asked}]}],
                inferenceConfig={
                    "maxTokens": 500 + scene_count * TOKENS_PER_SCENE_MAX,
                    "temperature": TEMPERATURE,
                },
                outputConfig=_OUTPUT,
            )
        if not answer.get("stopReason"):
            raise lost_answer("bedrock", "its answer is none of a conversation", repeatable=True)
        if answer["stopReason"] in ("guardrail_intervened", "content_filtered"):
            raise ProviderRejected(REFUSED_BY_MODERATION)
        if answer["stopReason"] != "end_turn":
            raise ProviderFailed("The provider wrote no usable script.")
        parts = answer.get("output", {}).get("message", {}).get("content", [])
        return script_prompt.read("".join(str(part.get("text", "")) for part in objects(parts)), scene_count)
