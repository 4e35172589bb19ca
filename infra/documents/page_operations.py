"""The operations on the page /docs/api."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from shoal.dialects.fields import SubmitFields

from .markup import JsonText, code_block, curl, fields, paragraphs, tag, text
from .operation import Operation

Schema = dict[str, Any]


def article(document: Schema, route: str, operation: Operation) -> str:
    """One operation: what it takes, a line to try it with, what it answers."""
    method, path = route.split(" ")
    described = document["paths"][path][method.lower()]
    scope = "no key" if operation.scope is None else f"scope {operation.scope}"
    badge = f'<span class="method {method.lower()}">{method}</span>'
    parts = [
        tag("h3", text(operation.summary)),
        f'<div class="route">{badge}<span>{text(path)}</span><span class="scope">{scope}</span></div>',
        paragraphs(operation.text),
        _parameters(document, described),
        _body(document, described),
        code_block(curl(method, path, _first(described), keyless=operation.scope is None), "shell"),
        _answers(described),
        _refusals(operation, path),
    ]
    return tag("article", "".join(parts), id=operation.id)


def _parameters(document: Schema, described: Schema) -> str:
    found = [resolve(document, each) for each in described["parameters"]]
    if not found:
        return ""
    return tag("h4", "Parameters") + fields(
        (f"{each['name']}", each["schema"], each["description"], each.get("required", False), each["in"])
        for each in found
    )


def _body(document: Schema, described: Schema) -> str:
    if "requestBody" not in described:
        return ""
    schema = resolve(document, described["requestBody"]["content"]["application/json"]["schema"])
    shown = [schema]
    if "oneOf" in schema:
        image, task = (resolve(document, each) for each in schema["oneOf"])
        by_model = [resolve(document, each) for each in task["oneOf"]]
        shown = [image, _merge(by_model)]
    parts = []
    for each in shown:
        required = set(each.get("required", ()))
        title = "Body" if len(shown) == 1 else f"Body with {'mode' if 'mode' in required else 'model'}"
        rows = (
            (name, part, part.get("description", ""), name in required, "")
            for name, part in sorted(each["properties"].items(), key=lambda item: _rank(item[0], required))
        )
        parts.append(tag("h4", title) + fields(rows))
    return "".join(parts)


def _rank(name: str, required: set[str]) -> int:
    """What must be there comes first, what any submit may carry last."""
    return 0 if name in required else 2 if name in SubmitFields.model_fields else 1


def _merge(schemas: list[Schema]) -> Schema:
    """One schema with the fields of all models, each said to be of those that have it."""
    names = {each["properties"]["model"]["const"]: each for each in schemas}
    properties: dict[str, Schema] = {}
    for each in sorted(schemas, key=_outputs_max):
        properties |= each["properties"]
    for name, part in properties.items():
        having = [model for model, each in names.items() if name in each["properties"]]
        if len(having) < len(names):
            said = part.get("description", "")
            properties[name] = part | {
                "description": f"{said} Only {', '.join(f'`{m}`' for m in having)}.".strip()
            }
    properties["model"] = {"type": "string", "enum": list(names), "description": "See `GET /v1/models`."}
    del properties["aspect_ratio"]
    properties["aspect_ratio"] = {"type": "string", "description": "One of the model's, such as `16:9`."}
    return {"properties": properties, "required": ["model", "prompt"]}


def _answers(described: Schema) -> str:
    parts: list[str] = []
    for status, answer in described["responses"].items():
        shown = answer.get("content", {}).get("application/json", {}).get("examples", {})
        for name, example in shown.items():
            said = f"{status} {name.replace('_', ' ')}"
            opened = " open" if status < "300" and not parts else ""
            parts.append(
                f"<details{opened}><summary>{text(said)}</summary>{JsonText.block(example['value'])}</details>"
            )
    return tag("h4", "Answers") + "".join(parts) if parts else ""


def _refusals(operation: Operation, path: str) -> str:
    by_status = sorted({(error.status, error.code) for error in operation.errors(path)})
    items = []
    for status, group in groupby(by_status, key=lambda pair: pair[0]):
        links = " ".join(tag("a", code, href=f"#{code}") for _, code in group)
        items.append(tag("li", f"<b>{status}</b>{links}"))
    return tag("h4", "Errors") + tag("ul", "".join(items), **{"class": "codes"})


def resolve(document: Schema, part: Schema) -> Schema:
    """The part, or what its reference leads to."""
    found = document
    for step in part["$ref"].removeprefix("#/").split("/") if "$ref" in part else ():
        found = found[step]
    return part if found is document else found


def _first(described: Schema) -> Any:
    media = described.get("requestBody", {}).get("content", {}).get("application/json", {})
    return next((each["value"] for each in media.get("examples", {}).values()), None)


def _outputs_max(schema: Schema) -> int:
    """How many outputs a model makes at most."""
    own = schema["properties"].get("num_outputs", {})
    return max((int(each.get("maximum", 1)) for each in own.get("anyOf", [own])), default=1)
