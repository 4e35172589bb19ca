"""The page /docs/api, made from the OpenAPI document: no script, no request to anywhere."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

from shoal.dialects.mcp import TOOLS

from .bus_page import SUMMARY, bus_content
from .markup import JsonText, code_block, curl, paragraphs, section, tag, text
from .openapi import ORIGIN
from .operation import Operation
from .operations import OPERATIONS
from .page_operations import article
from .page_reference import errors, events, job_errors, webhooks

Schema = dict[str, Any]

STYLE = Path(__file__).with_name("page.css")
FIRST_REQUEST: Schema = {"prompt": "A shark swimming in neon-lit deep ocean"}
"""What the quick start shows where no example was recorded: any catalog has a default mode for it."""
TOPICS = {
    "keys": (
        "Keys",
        "Send `Authorization: Bearer sk_live_…` with every request; `vsk_live_…` does as well. A key has "
        "scopes: `generate` to submit and cancel, `read` to look, `webhooks` to manage those. `sk_test_…` "
        "keys spend play money, use the simulator alone and see only their own requests.",
    ),
    "money": (
        "Money",
        "A submit holds its price: what is held can not be spent again. Success captures the hold, failure "
        "and expiry release it, and each hold resolves exactly once. A cancel gives back what has cost "
        "nothing: outputs that a provider bills although it stops are charged and delivered, or given back "
        "if they never arrive. Of several outputs only those that were delivered are charged. Three free "
        "trials pay for images when the balance is too "
        "low. `max_cost` in a submit refuses what would cost more; `POST /v1/quote` tells the price first.",
    ),
    "idempotency": (
        "Idempotency",
        "Give every `POST` that spends, creates or cancels an `Idempotency-Key` of up to 255 characters, and "
        "repeat it when you repeat the request. Within 24 hours the same key and body get the same answer, "
        "with `Idempotent-Replayed: true`; another body gets "
        "[`idempotency_key_reused`](#idempotency_key_reused).",
    ),
    "limits": (
        "Rate limits",
        "60 requests a minute with a burst of 20 per key, unless your operator says otherwise. Reads of a "
        "job, task or video by its id count apart, at ten times the rate. Every answer "
        "has `RateLimit` (`r` requests left, all of them again in `t` seconds) and `RateLimit-Policy`. Above "
        "it is [`rate_limited`](#rate_limited) with `Retry-After`.",
    ),
    "waiting": (
        "Waiting",
        "Poll images and tasks every two seconds, videos every ten to twenty. Or send `Prefer: wait=N` with "
        "a submit or the reading of a task: the answer comes when the job has ended, or after N seconds, 25 "
        "at most, or at once if the key has held 120 seconds of requests within a minute. "
        "Or let a [webhook](#webhooks) tell you.",
    ),
    "agents": (
        "Agents",
        f"Any client of the Model Context Protocol connects to `{ORIGIN}/mcp` by streamable HTTP, with the "
        f"same `Authorization` and limits. Its tools are {', '.join(f'`{name}`' for name in TOOLS)}. They "
        "spend only with a `quote_id`: `quote` gives one, good for ten minutes, that request and one job. "
        "What a tool refuses has the [code](#errors) that the API has for it.",
    ),
}


def page(document: Schema) -> tuple[str, dict[str, str]]:
    """The page, and the header fields it is served with."""
    body = f"{_navigation(document)}\n{tag('main', _content(document), id='top')}"
    info = document["info"]
    return _whole(f"{info['title']} API", info["summary"], body)


def events_page() -> tuple[str, dict[str, str]]:
    """The page /docs/events, likewise."""
    navigation, content = bus_content()
    return _whole("Shoal: events", SUMMARY, f"{navigation}\n{tag('main', content, id='top')}")


def _whole(title: str, summary: str, body: str) -> tuple[str, dict[str, str]]:
    style = STYLE.read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = "; ".join(
        [
            "default-src 'none'",
            f"style-src 'sha256-{digest}'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
    )
    head = "".join(
        [
            '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta name="description" content="{text(summary)}">',
            '<link rel="icon" href="data:,">',
            tag("title", text(title)),
            f"<style>{style}</style>",
        ]
    )
    skip = '<a class="skip" href="#top">To the content</a>'
    html = f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>{skip}{body}</body></html>\n'
    return html, {"Content-Security-Policy": policy, "Referrer-Policy": "no-referrer"}


def _navigation(document: Schema) -> str:
    parts = [
        _links("Start", {"quick-start": "Quick start", **{id_: name for id_, (name, _) in TOPICS.items()}})
    ]
    for each in document["tags"]:
        shown = {operation.id: operation.summary for _, operation in _of_tag(each["name"])}
        parts.append(_links(each["name"], shown))
    parts.append(_links("Events", {"webhooks": "Receiving webhooks", "events": "Every event"}))
    parts.append(_links("Errors", {"errors": "Every code", "job-errors": "Why a job failed"}))
    brand = '<a class="brand" href="#top">Shoal API</a>'
    inner = tag("details", tag("summary", "Contents") + "".join(parts))
    return tag("nav", brand + inner, **{"aria-label": "Contents"})


def _links(heading: str, entries: dict[str, str]) -> str:
    items = "".join(tag("li", tag("a", text(name), href=f"#{id_}")) for id_, name in entries.items())
    return tag("h2", text(heading)) + tag("ul", items)


def _content(document: Schema) -> str:
    sections = [
        _introduction(document),
        *(section(name, id_, paragraphs(said), "topic") for id_, (name, said) in TOPICS.items()),
    ]
    for each in document["tags"]:
        articles = "".join(article(document, route, operation) for route, operation in _of_tag(each["name"]))
        sections.append(
            section(each["name"], f"about-{_slug(each['name'])}", paragraphs(each["description"]) + articles)
        )
    sections += [webhooks(document), events(document), errors(), job_errors()]
    version = text(document["info"]["version"])
    footer = f"Version {version}. This page, like the OpenAPI document, is made from the code."
    return "\n".join(sections) + tag("footer", tag("p", footer))


def _introduction(document: Schema) -> str:
    info = document["info"]
    facts = [
        f"Base URL <code>{ORIGIN}</code>",
        '<a href="/api/v1/openapi.json">OpenAPI 3.1</a>',
        '<a href="/llms.txt">llms.txt</a>',
        '<a href="#errors">Every error</a>',
        '<a href="/docs/events">Events on the bus</a>',
    ]
    listed = tag("ul", "".join(tag("li", fact) for fact in facts), **{"class": "facts"})
    lead = f'<p class="lead">{text(info["summary"])}</p>'
    said = paragraphs(info["description"])
    return tag("h1", f"{text(info['title'])} API") + lead + listed + said + _quick_start(document)


def _quick_start(document: Schema) -> str:
    submit, read = document["paths"]["/v1/generate"]["post"], document["paths"]["/v1/jobs/{id}"]["get"]
    asked = _example(submit["requestBody"], "image") or FIRST_REQUEST
    answered = _example(read["responses"]["200"], "complete")
    said = "Submit, poll until it has ended, use the address. Set `KEY`, and read by the `job_id` answered."
    return section(
        "Quick start",
        "quick-start",
        paragraphs(said)
        + code_block(f"export KEY=sk_live_…\n\n{curl('POST', '/v1/generate', asked)}", "shell")
        + code_block(curl("GET", "/v1/jobs/job_…", None), "shell")
        + (JsonText.block(answered) if answered else ""),
    )


def _example(content: Schema, name: str) -> Schema | None:
    """What was recorded under a name, if anything was."""
    example: Schema = content["content"]["application/json"].get("examples", {}).get(name, {})
    return example.get("value")


def _of_tag(name: str) -> list[tuple[str, Operation]]:
    return [(route, operation) for route, operation in OPERATIONS.items() if operation.tag == name]


def _slug(name: str) -> str:
    return name.lower().replace(" ", "-")
