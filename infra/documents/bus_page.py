"""The page /docs/events and its Markdown: what the bus tells, with a recorded event of each type."""

from __future__ import annotations

import json
from typing import Any

from shoal.domain.events import SCHEMA_VERSION
from shoal.domain.webhook import EVENT_TYPES

from .bus_examples import bus_examples
from .bus_resources import MEANING
from .markup import JsonText, code_block, paragraphs, section, tag, text

SUMMARY = "What Shoal tells on the EventBridge bus of its stage."
PATTERN = {"source": ["shoal"], "detail-type": ["job.completed", "job.failed", "wallet.captured"]}
TOPICS = {
    "bus": (
        "The bus",
        "Every stage has a bus, `shoal-<stage>`. Its rules are yours: a pattern names `source` and the "
        "types that you want as `detail-type`, a target gets each event, and a queue of dead letters what "
        "the target did not take. Schemas are in the registry `shoal-<stage>`; all of them are in an "
        "AsyncAPI document at `/api/v1/asyncapi.json`. Events of play money have `test` true in their "
        "`data`.",
    ),
    "at-least-once": (
        "At least once, in any order",
        "Nothing is told that did not happen, and what happened is told at least once: again after a "
        "crash, after a refusal by the bus, after a replay. `job.failed` may come before `job.created`. "
        "Act on what an event says, not on how many came before it. What a job ends with comes within "
        "seconds. What no job ends with, money that was paid or granted, keys, suspensions, breakers, "
        "discrepancies, comes within a minute or two.",
    ),
    "ids": (
        "Ids",
        "`detail.id` is made of what happened: told again, also years later, the event has the same. Note "
        "it in one transaction with what you change, and an event that comes twice changes nothing. The "
        "event's own `id` is EventBridge's and is another one in a replay. `entry_id` is the ledger's: "
        "one event an entry. The `balance_delta` of all the `wallet.` events of a wallet, with `job_id` "
        "or without, add up to its balance.",
    ),
    "detail": (
        "What every detail has",
        f"`schema_version` is {SCHEMA_VERSION}, semantic: fields may be added to a version, so ignore what "
        "you do not know. What would break you is a new `detail-type` instead, told beside the old one "
        "for half a year. `traceparent` is the one that the job's request had, or a trace of its own. "
        "Signed addresses in `data` expire after an hour: `files` has bucket and key of each, by the "
        "field, for a replay next week. `account_id` is null for what happens to the stage.",
    ),
    "replay": (
        "Replay",
        "The bus keeps an archive, `shoal-<stage>`, for as long as the stage's `archive_days`. A replay "
        "sends a time span of it again, to the rules that you name.",
    ),
}


def bus_markdown() -> str:
    """The whole as Markdown."""
    parts = [f"# Events\n\n{SUMMARY}"]
    parts += [f"## {name}\n\n{said}" for name, said in TOPICS.values()]
    parts += [f"A pattern:\n\n{_fenced(PATTERN)}", "## Every event"]
    for event_type, example in bus_examples().items():
        parts.append(f"### `{event_type}`\n\n{_said(event_type)}\n\n{_fenced(example)}")
    return "\n\n".join(parts) + "\n"


def bus_content() -> tuple[str, str]:
    """Navigation and content of the page, as HTML."""
    items = {**{id_: name for id_, (name, _) in TOPICS.items()}, **{each: each for each in MEANING}}
    links = "".join(tag("li", tag("a", text(name), href=f"#{id_}")) for id_, name in items.items())
    brand = '<a class="brand" href="/docs/api">Shoal API</a>'
    navigation = tag("nav", brand + tag("ul", links), **{"aria-label": "Contents"})
    others = {"Markdown": "/docs/events.md", "AsyncAPI 3": "/api/v1/asyncapi.json"}
    facts = "".join(tag("li", tag("a", name, href=path)) for name, path in others.items())
    sections = [tag("h1", "Events"), f'<p class="lead">{text(SUMMARY)}</p><ul class="facts">{facts}</ul>']
    sections += [section(name, id_, paragraphs(said), "topic") for id_, (name, said) in TOPICS.items()]
    sections.append(code_block(json.dumps(PATTERN, indent=2), ""))
    sections.append(section("Every event", "events", "".join(map(_event, bus_examples()))))
    return navigation, "\n".join(sections)


def _event(event_type: str) -> str:
    heading = tag("h3", tag("a", text(event_type), href=f"#{event_type}"))
    example = JsonText.block(bus_examples()[event_type])
    shown = f"<details><summary>Example</summary>{example}</details>"
    return tag("div", heading + paragraphs(_said(event_type)) + shown, id=event_type, **{"class": "code"})


def _said(event_type: str) -> str:
    return MEANING[event_type] + (" Webhooks get it, too." if event_type in EVENT_TYPES else "")


def _fenced(value: Any) -> str:
    return f"```json\n{JsonText.lines(value)}\n```"
