"""Scripts by OpenAI's Responses, held to a JSON schema.

https://platform.openai.com/docs/guides/structured-outputs. There is no seed: two scripts of one idea differ.
"""

from __future__ import annotations

from shoal.adapters.providers.kit import script_prompt
from shoal.adapters.providers.openai import responses
from shoal.adapters.providers.openai.http import OpenAiHttp
from shoal.domain.script import SceneText

READ_SECONDS = 90.0
TOKENS_BASE, TOKENS_PER_SCENE = 4000, 400
"""Enough for the words, and for a reasoning model to think first."""


class OpenAiScriptWriter:
    """Implements the `ScriptWriter` port."""

    def __init__(self, http: OpenAiHttp, *, model: str) -> None:
        self._http = http
        self._model = model

    def write(
        self,
        *,
        idea: str,
        category: str,
        scene_count: int,
        style: str | None,
        language: str,
        seed: int | None,  # noqa: ARG002 (nothing here takes one)
    ) -> tuple[SceneText, ...]:
        """A script. Asking again is harmless, so a lost answer is `ProviderBusy`.

        Raises `ProviderFailed` for a script that is none, `ProviderRejected`, `ProviderUnusable`.
        """
        asked = script_prompt.order(
            idea=idea, category=category, scene_count=scene_count, style=style, language=language
        )
        fields = {
            "model": self._model,
            "instructions": script_prompt.INSTRUCTIONS,
            "input": asked,
            "max_output_tokens": TOKENS_BASE + TOKENS_PER_SCENE * scene_count,
            "store": False,
            "text": {
                "format": {
                    "type": "json_schema",
                    "name": "video_script",
                    "schema": script_prompt.SCHEMA,
                    "strict": True,
                }
            },
        }
        reply = self._http.post("/responses", json=fields, repeatable=True, read_s=READ_SECONDS)
        return script_prompt.read(responses.text(reply.json()), scene_count)
