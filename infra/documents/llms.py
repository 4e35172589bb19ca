"""llms.txt: the documentation's index for language models, in the form of llmstxt.org."""

from __future__ import annotations

from typing import Any

from .errors import MEANING
from .openapi import ORIGIN, TAGS
from .operations import OPERATIONS

NOTES = """\
- Authenticate with `Authorization: Bearer sk_live_…` (`vsk_live_…` works too). `sk_test_…` spends play money.
- Every generation is asynchronous: submit, then poll every 2 s (videos: 10 s) or subscribe to webhooks.
- Send an `Idempotency-Key` with every POST that spends, creates or cancels, and repeat it with every retry.
- On 429 and 503 wait `Retry-After` seconds. Decide by the error's `code`, never by its message.
- A submit holds its price; failure and expiry release it, a cancel what has cost nothing by then.
- Inputs are addresses, `data:` URIs or files: `POST /v1/files` brings one, its id names it for a day.
- `POST /v1/quote` tells prices for nothing.
"""


def llms(document: dict[str, Any]) -> str:
    """The whole file: title, summary, notes, then sections of links."""
    info = document["info"]
    parts = [f"# {info['title']} API", f"> {info['summary']} Base URL: {ORIGIN}", NOTES.strip()]
    parts.append(
        _links(
            "Docs",
            [
                ("OpenAPI 3.1", "/api/v1/openapi.json", "the whole contract, with examples and webhooks"),
                ("Documentation page", "/docs/api", "the same for people"),
                ("Errors", "/docs/api#errors", f"what each of the {len(MEANING)} codes means"),
                ("Webhooks", "/docs/api#webhooks", "signatures, retries and how to verify"),
                ("Tools for agents", "/docs/api#agents", f"MCP at {ORIGIN}/mcp, by streamable HTTP"),
                (
                    "The bus",
                    "/docs/events.md",
                    "for subscribers of EventBridge: every event by example",
                ),
                ("AsyncAPI 3", "/api/v1/asyncapi.json", "the same, with the schema of each event"),
                ("Events", "/docs/api#events", ", ".join(f"`{each}`" for each in document["webhooks"])),
            ],
        )
    )
    for name in TAGS:
        operations = [(route, each) for route, each in OPERATIONS.items() if each.tag == name]
        links = [
            (route, f"/docs/api#{each.id}", _sentence(each.summary, each.text)) for route, each in operations
        ]
        parts.append(_links("Optional" if name == "About" else name, links))
    return "\n\n".join(parts) + "\n"


def _links(heading: str, links: list[tuple[str, str, str]]) -> str:
    lines = [f"- [{name}]({ORIGIN}{path}): {said}" for name, path, said in links]
    return f"## {heading}\n\n" + "\n".join(lines)


def _sentence(summary: str, text: str) -> str:
    return f"{summary}. {text}".strip() if text else summary
