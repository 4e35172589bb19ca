"""The parts of the page /docs/api that links lead to: webhooks, events, errors."""

from __future__ import annotations

from typing import Any

from .errors import JOB_MEANING, MEANING, api_errors
from .markup import JsonText, code_block, fields, inline, paragraphs, section, tag, text

Schema = dict[str, Any]

VERIFY = """\
import { createHmac, timingSafeEqual } from "node:crypto";

function verify(rawBody, header, secret) {
  const { t, v1 } = Object.fromEntries(header.split(",").map((part) => part.split("=")));
  if (!(Math.abs(Date.now() / 1000 - Number(t)) <= 300)) return false;
  const expected = createHmac("sha256", secret).update(`${t}.${rawBody}`).digest();
  const given = Buffer.from(v1 ?? "", "hex");
  return given.length === expected.length && timingSafeEqual(given, expected);
}"""


def webhooks(document: Schema) -> str:
    """How to receive and verify."""
    any_event = next(iter(document["webhooks"].values()))["post"]
    headers = fields(
        (each["name"], each["schema"], each["description"], False, "") for each in any_event["parameters"]
    )
    said = (
        "Subscribe with `POST /api/v1/webhooks`, or name a `webhook_url` in a submit. Every delivery carries "
        "two signatures, of which you check either, over the body as it was received. "
        + any_event["description"]
        + " An endpoint that fails all its attempts is disabled and `webhook.disabled` says so; enable it "
        "again and have what was missed sent again."
    )
    content = paragraphs(said) + headers + code_block(VERIFY, "")
    return section("Receiving webhooks", "webhooks", content)


def events(document: Schema) -> str:
    """Every type of event, with an anchor of its own."""
    parts = []
    for event_type, webhook in document["webhooks"].items():
        media = webhook["post"]["requestBody"]["content"]["application/json"]
        shown = "".join(
            f"<details><summary>Example</summary>{JsonText.block(each['value'])}</details>"
            for each in media.get("examples", {}).values()
        )
        heading = tag("h3", tag("a", text(event_type), href=f"#{event_type}"))
        parts.append(
            tag(
                "div",
                heading + paragraphs(webhook["post"]["summary"]) + shown,
                id=event_type,
                **{"class": "code"},
            )
        )
    return section("Every event", "events", "".join(parts))


def errors() -> str:
    """Every code, with the anchor that a `docs_url` leads to."""
    said = (
        "Decide by the code: it is stable, messages are for people. Images spell it in capitals, inside "
        "`error`; tasks inside `error` beside `data: null`; videos and webhooks at the top, with a "
        "`docs_url` that leads here. Report the `X-Request-Id` of what you can not explain."
    )
    parts = [paragraphs(said)]
    for code, status in api_errors().items():
        meaning, remedy = MEANING[code]
        parts.append(_code(code, code, str(status), meaning, remedy))
    return section("Every error", "errors", "".join(parts))


def job_errors() -> str:
    """Every code of a job that failed."""
    said = (
        "The `error` of a job, task or video that ended without an output. It cost nothing; repeating it is "
        "safe."
    )
    parts = [_code(f"job-{code}", code, "", meaning, "") for code, meaning in JOB_MEANING.items()]
    return section("Why a job failed", "job-errors", paragraphs(said) + "".join(parts))


def _code(id_: str, code: str, status: str, meaning: str, remedy: str) -> str:
    shown = f'<span class="status">{status}</span>' if status else ""
    done = f'<p class="do">{inline(remedy)}</p>' if remedy else ""
    heading = f'<h3><a href="#{id_}">{code}</a>{shown}</h3>'
    return tag("div", f"{heading}<p>{inline(meaning)}</p>{done}", id=id_, **{"class": "code"})
