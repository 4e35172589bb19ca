"""What requests carry: the schemas of the models that parse them, narrowed by what the catalog sells."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from shoal.dialects import files, webhooks
from shoal.dialects.fields import METADATA_BYTES_MAX
from shoal.dialects.spoken import spoken
from shoal.domain.catalog import Catalog
from shoal.domain.clip import SCENE_SECONDS
from shoal.domain.files import kinds
from shoal.domain.money import Asset
from shoal.domain.video import MODEL
from shoal.domain.webhook import EVENT_TYPES, PATTERNS
from shoal.handlers.http.form_body import FILE

from .json_schema import without_titles

Schema = dict[str, Any]

# Texts are trimmed before they are measured: a blank one is empty.
NOT_BLANK = r"\S"
DOLLARS = r"^\$?[0-9]{1,9}(\.[0-9]{1,6})?$"
CREDITS = "^[0-9]{1,9}$"
MOMENT = (
    r"^(19[7-9][0-9]|[2-9][0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])"
    r"T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?Z$"
)


_METADATA = f"Yours: comes back as it is. {METADATA_BYTES_MAX:,} bytes of JSON."


def schemas(catalog: Catalog) -> dict[str, Schema]:
    """The body of every request by its component's name."""
    one_of_models = {f"Task_{name.replace('-', '_')}": _task(catalog, name) for name in catalog.models}
    mapping = {name: f"#/components/schemas/Task_{name.replace('-', '_')}" for name in catalog.models}
    return {
        "ImageRequest": _image(catalog),
        "GenerateImageRequest": _image(catalog, mode_required=True),
        **one_of_models,
        "TaskRequest": {
            "description": "A task for one of the models; each takes parameters of its own.",
            "oneOf": [{"$ref": ref} for ref in mapping.values()],
            "discriminator": {"propertyName": "model", "mapping": mapping},
        },
        "GenerateRequest": {
            "description": "With `mode` an image, with `model` a task: exactly one of them.",
            "oneOf": [
                {"$ref": "#/components/schemas/GenerateImageRequest"},
                {"$ref": "#/components/schemas/TaskRequest"},
            ],
        },
        "UploadRequest": _upload(),
        "FileForm": _file_form(),
        "VideoRequest": _video(catalog),
        "CreateWebhookRequest": _webhook(webhooks.CreateRequest),
        "ChangeWebhookRequest": _webhook(webhooks.ChangeRequest),
        "TestWebhookRequest": _trial(),
        "RecoverRequest": _recover(),
    }


def plain(model: type[BaseModel]) -> Schema:
    """The model's own JSON Schema, without the titles that only repeat names."""
    schema = model.model_json_schema()
    schema.pop("title", None)
    named: Schema = without_titles(schema)
    return named


def _image(catalog: Catalog, *, mode_required: bool = False) -> Schema:
    schema = plain(spoken("image").request_of(catalog.modes[catalog.default_mode].model, catalog))
    ratios = {ratio for mode in catalog.modes.values() for ratio in catalog.models[mode.model].aspect_ratios}
    properties = _submit(schema, Asset.USD)
    mode = {"type": "string", "enum": list(catalog.modes)}
    properties["mode"] = {"description": "Size and price."}
    properties["aspect_ratio"] |= {"anyOf": [{"type": "string", "enum": sorted(ratios)}, {"type": "null"}]}
    properties["prompt"]["pattern"] = NOT_BLANK
    if mode_required:
        properties["mode"] |= mode
        schema["required"] = ["mode", *schema["required"]]
        schema["description"] = "An image."
    else:
        properties["mode"] |= {"anyOf": [mode, {"type": "null"}], "default": catalog.default_mode}
        schema["description"] = f"An image; `mode` is {catalog.default_mode} unless it is given."
    return schema


def _task(catalog: Catalog, id_: str) -> Schema:
    model = catalog.models[id_]
    schema = plain(spoken("tasks").request_of(id_, catalog))
    properties = _submit(schema, model.asset)
    properties["model"] = {"const": id_}
    properties["prompt"]["pattern"] = NOT_BLANK
    for name in properties.keys() - set(schema["required"]):
        properties[name] = _or_null(properties[name])
    schema["description"] = f"{model.title}."
    return schema


def _or_null(schema: Schema) -> Schema:
    """Null says the same as nothing for a parameter that may be absent."""
    if "anyOf" in schema:
        return schema
    said = {key: value for key, value in schema.items() if key in ("default", "description")}
    own = {key: value for key, value in schema.items() if key not in said}
    return {"anyOf": [own, {"type": "null"}], **said}


def _video(catalog: Catalog) -> Schema:
    schema = plain(spoken("video").request_of(MODEL, catalog))
    properties = _submit(schema, Asset.CREDIT)
    properties["idea"]["pattern"] = NOT_BLANK
    _each_of(properties["style"])["pattern"] = NOT_BLANK
    properties["duration"] |= {
        "maximum": catalog.video.seconds_max,
        "description": f"Seconds: one credit for each {SCENE_SECONDS}.",
    }
    properties["aspect_ratio"]["enum"] = list(catalog.video.aspect_ratios)
    said = {
        "idea": "What it is about, in a line.",
        "language": "BCP 47, such as `pt-BR`.",
        "style": "The look, such as `paper cut-out`.",
        "subtitles": "`track` can be switched off, `burned` is in the picture.",
    }
    for name, description in said.items():
        properties[name]["description"] = description
    schema["description"] = "A video from an idea."
    return schema


def _submit(schema: Schema, asset: Asset) -> dict[str, Schema]:
    """Says of the fields of any submit what their types cannot; returns the properties."""
    properties: dict[str, Schema] = schema["properties"]
    properties["max_cost"]["description"] = (
        "Refuse the request if it costs more: `0.05` or `$0.05`, of videos and clips whole credits."
    )
    _each_of(properties["max_cost"])["pattern"] = DOLLARS if asset.in_dollars else CREDITS
    properties["webhook_url"]["description"] = "The event that ends the job is sent there too."
    properties["metadata"]["description"] = _METADATA
    properties["ttl_seconds"]["description"] = "How long outputs are kept after the job has completed."
    return properties


def _upload() -> Schema:
    schema = plain(files.UploadRequest)
    schema["properties"]["content_type"]["enum"] = list(kinds.TYPES)
    schema["properties"]["metadata"]["description"] = _METADATA
    return schema


def _file_form() -> Schema:
    return {
        "description": "A file and what may be said of it.",
        "type": "object",
        "additionalProperties": False,
        "required": [FILE],
        "properties": {
            FILE: {"type": "string", "format": "binary"},
            "name": {
                "type": "string",
                "maxLength": files.NAME_LENGTH_MAX,
                "description": "In the place of the part's own file name.",
            },
            "metadata": {"type": "string", "description": f"{_METADATA} As text."},
        },
    }


def _webhook(request: type[BaseModel]) -> Schema:
    schema = plain(request)
    properties = schema["properties"]
    properties["events"] |= {
        "items": {"type": "string", "enum": sorted(PATTERNS)},
        "description": "Types, families such as `video.*`, or `*` for everything.",
    }
    for each in properties.values():
        if "events" in schema.get("required", ()):
            break
        each.pop("default", None)  # what is left out stays as it is
    return schema


def _trial() -> Schema:
    schema = plain(webhooks.TrialRequest)
    _each_of(schema["properties"]["type"])["enum"] = list(EVENT_TYPES)
    return schema


def _recover() -> Schema:
    schema = plain(webhooks.RecoverRequest)
    schema["properties"]["since"] |= {"format": "date-time", "description": "At most 14 days ago."}
    return schema


def _each_of(schema: Schema, *path: str) -> Schema:
    """The part of `anyOf` that is not null, or what is at a path inside it."""
    part: Schema = next(
        (each for each in schema.get("anyOf", [schema]) if each.get("type") != "null"), schema
    )
    for step in path:
        part = part[step]
    return part
