"""What the OpenAPI document promises, held against answers: each test that gets one checks it on the way."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import unquote

from jsonschema import Draft202012Validator

from infra.documents.openapi import document

Schema = dict[str, Any]


class Contract:
    """The document, closed: an answer with a field that it does not tell of breaks it too."""

    def __init__(self) -> None:
        self._document: Schema = closed(document())
        self._routes = [
            (method.upper(), re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), operation)
            for path, methods in self._document["paths"].items()
            for method, operation in methods.items()
        ]

    def check(self, method: str, path: str, status: int, headers: Mapping[str, str], text: str) -> None:
        """Fails unless the document has this answer to this request; other addresses are not its business."""
        operation = self._operation(method, path)
        if operation is None:
            return
        what = f"{method} {path} answers {status}"
        assert str(status) in operation["responses"], f"{what}: not documented"
        response = self._resolved(operation["responses"][str(status)])
        given = {name.lower(): value for name, value in headers.items()}
        for name, header in response.get("headers", {}).items():
            self._check_header(f"{what}: {name}", self._resolved(header), given.get(name.lower()))
        if "content" not in response:
            assert text == "", f"{what}: a body"
            return
        media_type = given["content-type"]
        known = {name.partition(";")[0] for name in response["content"]}
        assert media_type.partition(";")[0] in known, f"{what}: {media_type}"
        if media_type == "application/json":
            self.check_schema(what, response["content"][media_type]["schema"], json.loads(text))

    def check_event(self, event: Any) -> None:
        """Fails unless the document's webhooks have this body of a delivery."""
        webhook = self._document["webhooks"][event["type"]]["post"]
        schema = webhook["requestBody"]["content"]["application/json"]["schema"]
        self.check_schema(event["type"], schema, event)

    def check_schema(self, what: str, schema: Schema, value: Any) -> None:
        """Fails unless the value is what the schema says; references lead into the document."""
        whole = {**schema, "components": self._document["components"]}
        found = [
            f"{each.json_path}: {each.message}" for each in Draft202012Validator(whole).iter_errors(value)
        ]
        assert not found, f"{what}\n" + "\n".join(found)

    def _operation(self, method: str, path: str) -> Schema | None:
        for known, pattern, operation in self._routes:
            if known == method and pattern.fullmatch(unquote(path)):
                found: Schema = operation
                return found
        return None

    def _resolved(self, part: Schema) -> Schema:
        if "$ref" not in part:
            return part
        found = self._document
        for step in part["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        return found

    def _check_header(self, what: str, header: Schema, value: str | None) -> None:
        if value is None:
            assert not header.get("required"), f"{what} is missing"
        else:
            self.check_schema(what, header["schema"], value)


@cache
def contract() -> Contract:
    return Contract()


def documented(route: str) -> str:
    """A route as OpenAPI writes it, to which `{id+}` is `{id}` with slashes that are encoded."""
    return route.replace("+}", "}")


def closed(schema: Any) -> Any:
    """The same, where objects may have no properties but those they name."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {name: closed(each) for name, each in schema.items()}
    names_its_properties = isinstance(schema.get("properties"), dict) and schema.get("type") == "object"
    return {"additionalProperties": False, **inner} if names_its_properties else inner
