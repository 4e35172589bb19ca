"""`python -m infra.settings_table`: write the table of a stage's settings, made from what checks them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any, get_args

from pydantic import TypeAdapter

from shoal.settings import StageKind

from .checks import OWNER
from .paths import ROOT
from .stage import NEEDED, Stage, stage_of

FILE = ROOT / "docs" / "reference" / "stage-settings.md"
INTRODUCTION = """\
# Settings of a stage

`stages/<name>.toml` describes the stage `<name>`: `make deploy STAGE=<name>` deploys it, the file is kept
with the code, and so the next deployment has the same settings. A name has up to 20 small letters, digits
and dashes; it begins with a letter and ends with no dash. `kind` is the one setting that every file has; what
else a file leaves out has the default of its kind. A setting that is misspelt or can't be is refused before
anything is made.

```toml
# stages/eu-prod.toml
kind = "prod"
alarm_email = "ops@example.com"
mail_identity_arn = "arn:aws:ses:eu-west-1:123456789012:identity/example.com"
mail_from = "Shoal <no-reply@example.com>"
domain = "api.example.com"
certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
files_domain = "files.example.com"
files_certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
sign_up_domains = ["example.com"]
waf_requests_max = 2000
```

| setting | what it is | value | `local` | `dev` | `prod` |
|---|---|---|---|---|---|
"""


def text() -> str:
    """The page as Markdown."""
    return INTRODUCTION + "".join(f"| {' | '.join(row)} |\n" for row in _rows())


def _rows() -> Iterator[tuple[str, ...]]:
    schemas: dict[str, Any] = TypeAdapter(Stage).json_schema()["properties"]
    unsaid: dict[str, Any] = dict.fromkeys(OWNER)
    stages = [
        replace(stage_of(kind, kind, **(OWNER if kind in NEEDED else {})), **unsaid)
        for kind in get_args(StageKind)
    ]
    for field in fields(Stage):
        if field.name == "name":
            continue
        schema = schemas[field.name]
        defaults = ("" if field.name == "kind" else _show(getattr(stage, field.name)) for stage in stages)
        yield (f"`{field.name}`", schema["description"], _value(schema), *defaults)


def _value(schema: dict[str, Any]) -> str:
    """What a setting may be, in words."""
    if "anyOf" in schema:
        (schema,) = [each for each in schema["anyOf"] if each.get("type") != "null"]
    if "enum" in schema:
        return " or ".join(f"`{each}`" for each in schema["enum"])
    if "const" in schema:
        return f"`{str(schema['const']).lower()}`"
    match schema["type"]:
        case "integer":
            return f"whole number{_range(schema)}"
        case "boolean":
            return "`true` or `false`"
        case "array":
            return f"list: {_value(schema['items'])}"
        case "object":
            return "table of texts"
    return "text"


def _range(schema: dict[str, Any]) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if high is not None:
        return f", {low:,} to {high:,}"
    return f", at least {low:,}" if low is not None else ""


def _show(value: object) -> str:
    return "" if value in (None, (), {}, "") else f"`{json.dumps(value)}`"


if __name__ == "__main__":
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(text(), encoding="utf-8")
