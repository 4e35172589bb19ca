"""The documents of the bus: the page, its Markdown, AsyncAPI; each shows every event as it was recorded."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from cloudevents.core.exceptions import CloudEventValidationError
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from jsonschema import Draft4Validator, Draft7Validator

from infra.documents.asyncapi import asyncapi
from infra.documents.build import FOLDER, write
from infra.documents.bus_examples import bus_examples
from infra.documents.bus_resources import MEANING, bus_schemas
from infra.paths import ROOT
from shoal.domain.events import OPERATORS_TYPES
from shoal.domain.webhook import EVENT_TYPES
from tests.support.contract import closed
from tests.unit.handlers.http.test_documents import Page

OFFICIAL = ROOT / "node_modules" / "@asyncapi" / "specs" / "schemas" / "3.0.0.json"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("zip")
    write(root)
    return root / FOLDER


def test_an_event_of_each_type_was_recorded() -> None:
    assert bus_examples().keys() == bus_schemas().keys() == MEANING.keys()
    assert not set(OPERATORS_TYPES) & set(EVENT_TYPES), "no webhook is told of these"
    for event_type, event in bus_examples().items():
        validator = Draft4Validator(closed(bus_schemas()[event_type]))
        assert [error.message for error in validator.iter_errors(event)] == [], event_type


def test_the_page_shows_every_event_at_an_anchor(built: Path) -> None:
    page = Page((built / "events.html").read_text(encoding="utf-8"))
    inside = {link[1:] for link in page.links if link.startswith("#")}

    assert page.open == []
    assert set(bus_schemas()) <= set(page.ids)
    assert inside <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    served = json.loads((built / "index.json").read_text(encoding="utf-8")).keys()
    assert {link for link in page.links if not link.startswith("#")} <= served


def test_the_markdown_shows_the_recorded_events(built: Path) -> None:
    text = (built / "events.md").read_text(encoding="utf-8")
    shown = dict(re.findall(r"^### `(\S+)`$.*?^```json\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL))

    assert {name: json.loads(example) for name, example in shown.items()} == bus_examples()


def test_what_asyncapi_refers_to_is_there_and_its_examples_fit() -> None:
    document = asyncapi()
    for ref in refs(document):
        part: Any = document
        for name in ref.removeprefix("#/").split("/"):
            part = part[name]
    messages = document["components"]["messages"]
    assert messages.keys() == document["channels"]["bus"]["messages"].keys() == bus_schemas().keys()
    for name, message in messages.items():
        validator = Draft7Validator(message["payload"] | {"components": document["components"]})
        (example,) = message["examples"]
        assert [error.message for error in validator.iter_errors(example["payload"])] == [], name


@pytest.fixture(scope="module")
def official() -> Draft7Validator:
    """By the schema of AsyncAPI 3.0.0 that the AsyncAPI Initiative publishes."""
    return Draft7Validator(json.loads(OFFICIAL.read_text(encoding="utf-8")))


def test_the_document_is_what_asyncapi_calls_one(built: Path, official: Draft7Validator) -> None:
    served = json.loads((built / "asyncapi.json").read_text(encoding="utf-8"))

    assert served["asyncapi"] == OFFICIAL.stem
    assert [f"{error.json_path}: {error.message}" for error in official.iter_errors(served)] == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("info.version", None),
        ("channels.bus.address", 1),
        ("channels.bus.owner", "us"),
        ("operations.tell.action", "shout"),
        ("operations.tell.channel", "bus"),
        ("components.messages.wallet.captured.examples", {}),
    ],
)
def test_the_official_schema_refuses_what_is_not_one(
    built: Path, official: Draft7Validator, path: str, value: object
) -> None:
    served = json.loads((built / "asyncapi.json").read_text(encoding="utf-8"))
    messages = {name.replace(".", "/"): each for name, each in served["components"]["messages"].items()}
    part: Any = served
    *way, last = path.replace("wallet.captured", "wallet/captured").split(".")
    for name in way:
        part = messages[name] if name in messages else part[name]
    part.pop(last) if value is None else part.update({last: value})

    assert not official.is_valid(served)


@pytest.mark.parametrize("event_type", bus_examples())
def test_the_fields_of_cloudevents_beside_todays_would_be_no_cloudevent(event_type: str) -> None:
    """So a rule puts an envelope around the event: docs/decisions/webhooks.md."""
    detail = bus_examples()[event_type]["detail"]
    beside = detail | {"specversion": "1.0", "source": "shoal", "time": detail["created_at"]}

    with pytest.raises(CloudEventValidationError) as refused:
        JSONFormat().read(CloudEvent, json.dumps(beside))

    assert refused.value.errors.keys() == {"created_at", "account_id", "schema_version"}


def test_asyncapi_refuses_what_no_event_is() -> None:
    document = asyncapi()
    message = document["components"]["messages"]["wallet.captured"]
    validator = Draft7Validator(message["payload"] | {"components": document["components"]})
    event = bus_examples()["wallet.captured"]
    wrong = event | {"detail": event["detail"] | {"data": event["detail"]["data"] | {"kind": "hold"}}}

    assert not validator.is_valid(wrong)


def refs(part: Any) -> list[str]:
    if isinstance(part, list):
        return [ref for each in part for ref in refs(each)]
    if not isinstance(part, dict):
        return []
    own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
    return own + [ref for each in part.values() for ref in refs(each)]
