"""`python -m infra.client_types`: write the types of the Python client, made from the OpenAPI document."""

from __future__ import annotations

import json
import re
from typing import Any

from datamodel_code_generator import InputFileType, LiteralType, PythonVersion, generate
from datamodel_code_generator.enums import DataModelType
from datamodel_code_generator.format import Formatter

from .documents.event_resources import ENVELOPES
from .documents.openapi import REF, document
from .paths import ROOT

Schema = dict[str, Any]

FILE = ROOT / "clients" / "python" / "shoal_client" / "resources.py"
HEADER = '"""What the API answers and sends: made from the OpenAPI document by `make client-types`."""'
REFERRED = re.compile(r"(?<=#/components/schemas/)\w+")
TYPES = {
    "Accepted": "Accepted",
    "JobV1": "Job",
    "WalletAnswer": "Wallet",
    "UsageV1": "Usage",
    "UsageRowV1": "UsageRow",
    "AcceptedTask": "AcceptedTask",
    "Task": "Task",
    "Model": "Model",
    "Quote": "Quote",
    "UsageOfModel": "UsageOfModel",
    "Video": "Video",
    "CreditsAnswer": "Credits",
    "File": "File",
    "NewFile": "NewFile",
    "Webhook": "Webhook",
    "NewWebhookAnswer": "NewWebhook",
    "Delivery": "Delivery",
    **{envelope.__name__: envelope.__name__ for envelope in ENVELOPES.values()},
}
"""What the client calls a schema that its methods return; those inside of them keep their names."""


def text() -> str:
    """The module of the client."""
    made = generate(
        {"openapi": "3.1.0", "info": {}, "paths": {}, "components": {"schemas": _schemas()}},
        input_file_type=InputFileType.OpenAPI,
        output_model_type=DataModelType.TypingTypedDict,
        target_python_version=PythonVersion.PY_311,
        custom_file_header=HEADER,
        enum_field_as_literal=LiteralType.All,
        use_union_operator=True,
        use_standard_collections=True,
        use_schema_description=True,
        use_field_description=True,
        use_inline_field_description=True,
        use_single_line_docstring=True,
        use_double_quotes=True,
        formatters=[Formatter.RUFF_FORMAT],
        settings_path=ROOT,
    )
    if not isinstance(made, str):
        raise TypeError("the types are one module")
    return made.rstrip() + "\n"


def _schemas() -> dict[str, Schema]:
    """All schemas that the client has a type for, by its names, and one of any event."""
    events = [{"$ref": REF.format(model=envelope.__name__)} for envelope in ENVELOPES.values()]
    event = {"description": "What a webhook is told: `data` depends on `type`.", "oneOf": events}
    schemas, found = document()["components"]["schemas"], dict[str, Schema]()
    for name in TYPES:
        _take(name, schemas, found)
    return found | {"Event": event}


def _take(name: str, schemas: dict[str, Schema], found: dict[str, Schema]) -> None:
    """Adds a schema by the client's name, after those that it refers to."""
    written = json.dumps(schemas[name])
    for inner in REFERRED.findall(written):
        _take(inner, schemas, found)
    found[_own(name)] = json.loads(REFERRED.sub(lambda match: _own(match[0]), written))


def _own(name: str) -> str:
    return TYPES.get(name, name)


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
