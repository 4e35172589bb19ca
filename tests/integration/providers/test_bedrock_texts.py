"""Bedrock's scripts and guardrails against the fake Bedrock."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from shoal.adapters.providers.bedrock.guardrails import BedrockGuardrails
from shoal.adapters.providers.bedrock.script import BedrockScriptWriter
from shoal.domain.errors import ProviderBusy, ProviderFailed, ProviderRejected, ProviderUnusable
from shoal.domain.script import SceneText
from shoal.ports.moderation import Verdict
from tests.fakes.providers.aws import error
from tests.fakes.providers.bedrock import (
    FORBIDDEN_WORD,
    GUARDRAIL,
    GUARDRAIL_VERSION,
    SCRIPT_MODEL,
    FakeBedrock,
    found,
)
from tests.fakes.providers.server import Fault, Told, broken_off, garbage, instead, lost
from tests.integration.providers.aws import opened, set_credentials

ORDER: dict[str, Any] = {
    "idea": "why reefs [slow:3] glow",
    "category": "science",
    "scene_count": 2,
    "style": "watercolour",
    "language": "de",
    "seed": 7,
}
LOST = [lost(), broken_off(), garbage()]
REFUSALS = [
    (error(403, "AccessDeniedException", "no access"), ProviderUnusable),
    (error(404, "ResourceNotFoundException", "none"), ProviderUnusable),
    (error(429, "ThrottlingException", "slow down"), ProviderBusy),
    (error(500, "InternalServerException", "oops"), ProviderBusy),
    (error(503, "ServiceUnavailableException", "down"), ProviderBusy),
]


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    set_credentials(monkeypatch)


@pytest.fixture
def fake() -> Iterator[FakeBedrock]:
    with FakeBedrock() as fake:
        yield fake
        assert fake.problems == []


@pytest.fixture
def client(fake: FakeBedrock) -> Iterator[Any]:
    with opened("bedrock-runtime", fake.url) as client:
        yield client


@pytest.fixture
def writer(client: Any) -> BedrockScriptWriter:
    return BedrockScriptWriter(client, model=SCRIPT_MODEL)


@pytest.fixture
def guardrail(client: Any) -> BedrockGuardrails:
    return BedrockGuardrails(client, guardrail_id=GUARDRAIL, version=GUARDRAIL_VERSION)


def test_a_script_has_a_scene_for_each_that_was_asked_for(
    fake: FakeBedrock, writer: BedrockScriptWriter
) -> None:
    assert writer.write(**ORDER) == (
        SceneText("A reef at dawn, 0", "Line 0 is spoken."),
        SceneText("A reef at dawn, 1", "Line 1 is spoken."),
    )
    asked = fake.requests[0].json()["messages"][0]["content"][0]["text"]
    for part in ("Category: science", "(BCP 47): de", "watercolour", "Idea: why reefs glow"):
        assert part in asked


@pytest.mark.parametrize(
    "answer",
    [
        "no JSON",
        "[]",
        '{"scenes": []}',
        '{"scenes": [{"prompt": "a", "narration": "b"}]}',
        '{"scenes": [{"prompt": "a", "narration": "b"}, {"prompt": "a", "narration": " "}]}',
        '{"scenes": [{"prompt": "a", "narration": "b"}, {"prompt": "a"}]}',
        '{"scenes": [{"prompt": "a", "narration": "b"}, 7]}',
    ],
)
def test_what_is_no_script_has_failed(fake: FakeBedrock, writer: BedrockScriptWriter, answer: str) -> None:
    fake.script = lambda _: answer
    with pytest.raises(ProviderFailed, match="no usable script"):
        writer.write(**ORDER)


def test_long_lines_are_cut(fake: FakeBedrock, writer: BedrockScriptWriter) -> None:
    scene = {"prompt": "a  reef\n" * 900, "narration": "b" * 900}
    fake.script = lambda _: json.dumps({"scenes": [scene, scene]})
    first, _ = writer.write(**ORDER)
    assert first.prompt.startswith("a reef a reef")
    assert (len(first.prompt), len(first.narration)) == (1000, 400)


@pytest.mark.parametrize(
    ("reason", "error_class"),
    [
        ("guardrail_intervened", ProviderRejected),
        ("content_filtered", ProviderRejected),
        ("max_tokens", ProviderFailed),
        ("malformed_model_output", ProviderFailed),
        ("model_context_window_exceeded", ProviderFailed),
    ],
)
def test_a_script_that_stopped_early_has_its_class(
    fake: FakeBedrock, writer: BedrockScriptWriter, reason: str, error_class: type[Exception]
) -> None:
    fake.stop_reason = reason
    with pytest.raises(error_class):
        writer.write(**ORDER)


@pytest.mark.parametrize("fault", LOST)
def test_a_lost_script_is_asked_for_again(
    fake: FakeBedrock, writer: BedrockScriptWriter, fault: Fault
) -> None:
    fake.will(fault)
    with pytest.raises(ProviderBusy):
        writer.write(**ORDER)
    assert len(writer.write(**ORDER)) == 2


@pytest.mark.parametrize(("answer", "error_class"), REFUSALS)
def test_a_refused_script_has_its_class(
    fake: FakeBedrock, writer: BedrockScriptWriter, answer: Told, error_class: type[Exception]
) -> None:
    fake.will(instead(answer))
    with pytest.raises(error_class):
        writer.write(**ORDER)


def test_a_clean_text_passes(fake: FakeBedrock, guardrail: BedrockGuardrails) -> None:
    assert guardrail.check("a reef at dawn") == Verdict(flagged=False)
    sent = fake.requests[0]
    assert sent.path == f"/guardrail/{GUARDRAIL}/version/{GUARDRAIL_VERSION}/apply"
    assert sent.json() == {"source": "INPUT", "content": [{"text": {"text": "a reef at dawn"}}]}


MASKED = {"sensitiveInformationPolicy": {"piiEntities": [{"type": "EMAIL", "action": "ANONYMIZED"}]}}
WORDS = {
    "wordPolicy": {
        "customWords": [{"match": FORBIDDEN_WORD, "action": "BLOCKED"}],
        "managedWordLists": [{"match": "damn", "type": "PROFANITY", "action": "BLOCKED"}],
    }
}
TOPIC = {"topicPolicy": {"topics": [{"name": "Politics", "type": "DENY", "action": "BLOCKED"}]}}


@pytest.mark.parametrize(
    ("assessments", "verdict"),
    [
        ([found("VIOLENCE", "BLOCKED"), TOPIC], Verdict(flagged=True, categories=("politics", "violence"))),
        ([WORDS], Verdict(flagged=True, categories=("customwords", "profanity"))),
        ([MASKED, found("HATE", "BLOCKED")], Verdict(flagged=True, categories=("hate",))),
        ([MASKED], Verdict(flagged=False)),
        ([], Verdict(flagged=True)),
    ],
    ids=["filters", "words", "masked and blocked", "masked", "no reason"],
)
def test_what_a_guardrail_finds_is_named(
    fake: FakeBedrock,
    guardrail: BedrockGuardrails,
    assessments: list[dict[str, Any]],
    verdict: Verdict,
) -> None:
    fake.assessments = assessments
    assert guardrail.check(f"something {FORBIDDEN_WORD}") == verdict


@pytest.mark.parametrize("fault", LOST)
def test_a_lost_verdict_is_none(fake: FakeBedrock, guardrail: BedrockGuardrails, fault: Fault) -> None:
    fake.will(fault)
    with pytest.raises(ProviderBusy):
        guardrail.check("a reef")


@pytest.mark.parametrize(("answer", "error_class"), REFUSALS)
def test_a_refused_verdict_has_its_class(
    fake: FakeBedrock, guardrail: BedrockGuardrails, answer: Told, error_class: type[Exception]
) -> None:
    fake.will(instead(answer))
    with pytest.raises(error_class):
        guardrail.check("a reef")


def test_an_unknown_guardrail_is_the_operators(client: Any) -> None:
    with pytest.raises(ProviderUnusable, match="does not exist"):
        BedrockGuardrails(client, guardrail_id="other", version=GUARDRAIL_VERSION).check("a reef")


def test_both_are_tested_with_a_word(
    fake: FakeBedrock, writer: BedrockScriptWriter, guardrail: BedrockGuardrails
) -> None:
    assert (writer.test(), guardrail.test()) == (f"{SCRIPT_MODEL} answers", "version 1 answers")
    for test in (writer.test, guardrail.test):
        fake.will(instead(error(403, "AccessDeniedException", "no access")))
        with pytest.raises(ProviderUnusable):
            test()
