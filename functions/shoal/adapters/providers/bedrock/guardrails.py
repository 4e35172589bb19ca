"""Moderation by Amazon Bedrock Guardrails: ApplyGuardrail, without a model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from shoal.adapters.providers.kit.aws_calls import lost_answer, port_errors
from shoal.adapters.providers.kit.fields import objects
from shoal.ports.moderation import Verdict

if TYPE_CHECKING:
    from mypy_boto3_bedrock_runtime import BedrockRuntimeClient

_LISTS = (
    ("contentPolicy", "filters", "type"),
    ("topicPolicy", "topics", "name"),
    ("wordPolicy", "customWords", ""),
    ("wordPolicy", "managedWordLists", "type"),
    ("sensitiveInformationPolicy", "piiEntities", "type"),
    ("sensitiveInformationPolicy", "regexes", "name"),
)
"""Where an assessment lists what it found, and the field that names it. A custom word is no category."""


class BedrockGuardrails:
    """Implements the `Moderator` port. `guardrail_id` and `version` are of a guardrail that exists."""

    def __init__(self, client: BedrockRuntimeClient, *, guardrail_id: str, version: str) -> None:
        self._client = client
        self._guardrail_id = guardrail_id
        self._version = version

    def test(self) -> str:
        """One word checked, in words for the operator. Raises as `check` does."""
        self.check("hello")
        return f"version {self._version} answers"

    def check(self, text: str) -> Verdict:
        """Asking again is harmless, so a lost answer is `ProviderBusy`. Also raises `ProviderUnusable`."""
        with port_errors("bedrock", repeatable=True):
            answer = self._client.apply_guardrail(
                guardrailIdentifier=self._guardrail_id,
                guardrailVersion=self._version,
                source="INPUT",
                content=[{"text": {"text": text}}],
            )
        if answer.get("action") == "NONE":
            return Verdict(flagged=False)
        if answer.get("action") != "GUARDRAIL_INTERVENED":
            raise lost_answer("bedrock", "its answer is none of a guardrail", repeatable=True)
        found = [
            finding for assessment in objects(answer.get("assessments")) for finding in _findings(assessment)
        ]
        blocked = tuple(sorted({name for name, action in found if action == "BLOCKED"}))
        # A guardrail that only masks what it found (ANONYMIZED) has nothing against the text. One that
        # intervened and does not say why is taken at its word.
        return Verdict(flagged=bool(blocked) or not found, categories=blocked)


def _findings(assessment: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The name of each finding, and what the guardrail did about it."""
    for policy, kind, name in _LISTS:
        for finding in objects((assessment.get(policy) or {}).get(kind)):
            yield str(finding.get(name, kind)).lower(), str(finding.get("action"))
