"""Drafts of models, made of a provider's own description of its endpoints: a person decides the rest."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from shoal.domain.models.checks import RESERVED
from shoal.domain.models.roles import Role
from shoal.domain.models.schema import DEPTH_MAX, NAME, type_of, values_of
from shoal.domain.models.shape import OUTPUTS_MAX

Provider = Literal["fal", "replicate"]
TEXT_MAX = 4_000
DECIDE = "# DECIDE: "
_KEPT = {
    "string": ("minLength", "maxLength", "pattern", "enum", "const"),
    "integer": ("minimum", "maximum", "enum", "const"),
    "number": ("minimum", "maximum"),
    "boolean": (),
}
_ROLES: Sequence[tuple[str, Role, tuple[str, ...]]] = (
    (r"prompt", Role.PROMPT, ("string",)),
    (r"negative_prompt", Role.NEGATIVE_PROMPT, ("string",)),
    (r"text|gen_text|text_input", Role.TEXT, ("string",)),
    (r"seed", Role.SEED, ("integer",)),
    (r"num_images|num_outputs|number_of_images|n", Role.COUNT, ("integer",)),
    (r"duration|seconds|duration_seconds|length", Role.SECONDS, ("integer", "string")),
    (r"resolution", Role.RESOLUTION, ("string",)),
    (r"aspect_ratio", Role.ASPECT_RATIO, ("string",)),
    (r"width", Role.WIDTH, ("integer",)),
    (r"height", Role.HEIGHT, ("integer",)),
    (r"num_inference_steps|steps", Role.STEPS, ("integer",)),
    (r"scale|upscale_factor", Role.SCALE, ("integer",)),
    (r"mask|mask_url|mask_image|mask_image_url", Role.MASK, ("uri",)),
    (r".*image.*", Role.IMAGE, ("uri", "array")),
    (r".*video.*", Role.VIDEO, ("uri", "array")),
    (r".*(audio|speech|voice|song).*", Role.AUDIO, ("uri", "array")),
)
_PRICING = (Role.SECONDS, Role.WIDTH, Role.HEIGHT, Role.STEPS, Role.SCALE)
_MEDIA = (
    (r"mesh|glb|model_3d|3d", "model3d_generate", "model/gltf-binary"),
    (r"video|gif", "video_generate", "video/mp4"),
    (r"audio|speech|music|sound|song|wav", "audio_generate", "audio/mpeg"),
    (r"image|mask|picture", "image_generate", "image/png"),
    (r"caption|\btext$", "text_generate", "text/plain"),
)


@dataclass(slots=True)
class Draft:
    """A model that is described as far as its provider's document goes; `open` is what a person decides."""

    endpoint: str
    title: str
    provider: Provider
    type: str = "image_generate"
    media: str = "image/png"
    properties: dict[str, dict[str, Any]] = field(default_factory=dict)
    required: list[str] = field(default_factory=list)
    template: dict[str, str] = field(default_factory=dict)
    outputs: list[dict[str, Any]] = field(default_factory=list)
    open: list[str] = field(default_factory=list)

    @property
    def id(self) -> str:
        """A name for its file."""
        short = self.endpoint.partition(":")[0].removeprefix("fal-ai/")
        return re.sub(r"[^a-z0-9]+", "-", short.lower()).strip("-")


def drafts_of(document: Mapping[str, Any], provider: Provider) -> Iterator[Draft]:
    """A draft of each endpoint. Raises `ValueError` for a document that has none of the provider's form."""
    described = document.get("results", document.get("models", [document]))
    found = [each for part in described if isinstance(part, Mapping) for each in _endpoints(part, provider)]
    if not found:
        raise ValueError(f"it describes no endpoint as {provider} does")
    for endpoint, title, schemas, told, made in found:
        draft = Draft(endpoint, title, provider)
        _take_inputs(draft, _Schemas(schemas), told)
        _take_outputs(draft, _Schemas(schemas), made)
        yield draft


_Endpoint = tuple[str, str, Mapping[str, Any], Mapping[str, Any], Mapping[str, Any]]


def _endpoints(part: Mapping[str, Any], provider: Provider) -> Iterator[_Endpoint]:
    """Name, title, all schemas, that of the input, that of the output."""
    if provider == "replicate":
        version = part.get("latest_version") or part
        schemas = (version.get("openapi_schema") or version).get("components", {}).get("schemas", {})
        if "Input" in schemas:
            name = f"{part['owner']}/{part['name']}" if "owner" in part else ""
            title = str(part.get("name", "")).replace("-", " ").capitalize()
            yield name, title or "Untitled", schemas, schemas["Input"], schemas.get("Output", {})
        return
    document = part.get("openapi", part)
    if not isinstance(document, Mapping):
        document = part
    schemas = document.get("components", {}).get("schemas", {})
    known = document.get("info", {}).get("x-fal-metadata", {})
    for path, methods in document.get("paths", {}).items():
        told = _json_schema(methods.get("post", {}).get("requestBody", {}))
        if told is None:
            continue
        endpoint = str(part.get("endpoint_id") or known.get("endpointId") or path.strip("/"))
        results = document["paths"].get(f"{path}/requests/{{request_id}}", {}).get("get", methods["post"])
        made = _json_schema(results.get("responses", {}).get("200", {})) or {}
        yield endpoint, endpoint.rpartition("/")[2].replace("-", " ").capitalize(), schemas, told, made


def _json_schema(part: Mapping[str, Any]) -> Mapping[str, Any] | None:
    schema: Mapping[str, Any] | None = part.get("content", {}).get("application/json", {}).get("schema")
    return schema


@dataclass(frozen=True, slots=True)
class _Schemas:
    named: Mapping[str, Any]

    def plain(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """Without references, and of alternatives the plainest that is not null."""
        told: dict[str, Any] = dict(schema)
        if "$ref" in told:
            name = str(told.pop("$ref")).rpartition("/")[2]
            told = {**self.plain(self.named.get(name, {})), **told}
        for part in told.pop("allOf", ()):
            told = {**self.plain(part), **told}
        options: list[dict[str, Any]] = [
            self.plain(each) for each in (*told.pop("anyOf", ()), *told.pop("oneOf", ()))
        ]
        options = [each for each in options if each.get("type") != "null"]
        if options:
            plainest = min(options, key=_is_nested)
            told = {**plainest, **told}
        if isinstance(told.get("type"), list):
            told["type"] = next((each for each in told["type"] if each != "null"), "")
        return told


def _is_nested(schema: Mapping[str, Any]) -> bool:
    return type_of(schema) in ("object", "array")


def _take_inputs(draft: Draft, schemas: _Schemas, told: Mapping[str, Any]) -> None:
    told = schemas.plain(told)
    properties = told.get("properties", {})
    order = [name for name in told.get("x-fal-order-properties", ()) if name in properties]
    rest = sorted(properties, key=lambda name: properties[name].get("x-order", 0))
    for own in dict.fromkeys([*order, *rest]):
        schema = _kept(schemas, own, properties[own], 0)
        name = _name(own, schema)
        if schema is None:
            needed = " and it is required" if own in told.get("required", ()) else ""
            draft.open.append(f"{own} has no form that a parameter can have{needed}")
            continue
        _give_role(draft, name, schema)
        draft.properties[name] = schema
        if own in told.get("required", ()) and "default" not in schema:
            draft.required.append(name)
        if schema.get("role") != Role.COUNT:
            draft.template[own] = f"{{{name}}}"


def _name(own: str, schema: Mapping[str, Any] | None) -> str:
    name = own if re.fullmatch(NAME, own) else re.sub(r"[^A-Za-z0-9_]", "_", f"its_{own}")
    meant = {"prompt": "string", "negative_prompt": "string", "aspect_ratio": "string", "seed": "integer"}
    strange = name in meant and schema is not None and type_of(schema) != meant[name]
    return f"its_{name}" if name in RESERVED or strange else name


def _kept(schemas: _Schemas, name: str, schema: Mapping[str, Any], depth: int) -> dict[str, Any] | None:
    """What the catalog's part of JSON Schema can say of it; None if it cannot."""
    told = schemas.plain(schema)
    kind = type_of(told)
    shown = {key: told[key] for key in ("description",) if isinstance(told.get(key), str)}
    if kind == "array":
        items = _kept(schemas, "", told.get("items", {}), DEPTH_MAX)
        if items is None or type_of(items) in ("array", "object"):
            return None
        if name.endswith(("_url", "_urls")):
            items["format"] = "uri"
        bounds: dict[str, Any] = {key: told[key] for key in ("minItems", "maxItems") if key in told}
        return {"type": "array", "items": items, **bounds, **shown}
    if kind == "object":
        return _kept_object(schemas, told, depth, shown)
    if kind not in _KEPT:
        return None
    kept = {"type": kind, **{key: told[key] for key in _KEPT[kind] if told.get(key) is not None}, **shown}
    if told.get("format") == "uri" or (kind == "string" and name.endswith("_url")):
        kept = {"type": "string", "format": "uri", **shown}
    elif _is_default(told.get("default"), kept):
        kept["default"] = told["default"]
    return kept


def _kept_object(
    schemas: _Schemas, told: Mapping[str, Any], depth: int, shown: Mapping[str, Any]
) -> dict[str, Any] | None:
    properties = told.get("properties")
    if depth >= DEPTH_MAX or not properties:
        return None
    inner = {name: _kept(schemas, name, each, depth + 1) for name, each in properties.items()}
    if any(each is None or not re.fullmatch(NAME, name) for name, each in inner.items()):
        return None
    required = [name for name in told.get("required", ()) if name in inner]
    return {"type": "object", "properties": inner, "required": required, **shown}


def _is_default(value: Any, kept: Mapping[str, Any]) -> bool:
    types = {"string": str, "integer": int, "number": int | float, "boolean": bool}
    if value is None or not isinstance(value, types[kept["type"]]):
        return False
    listed = values_of(kept)
    bounds = kept.get("minimum", value), kept.get("maximum", value)
    within = isinstance(value, str | bool) or bounds[0] <= value <= bounds[1]
    return within and (listed is None or value in listed)


def _give_role(draft: Draft, name: str, schema: dict[str, Any]) -> None:
    """By the name, if no other parameter has the role and the type is right; bounds what prices something."""
    taken = {each.get("role") for each in draft.properties.values()}
    kind = "uri" if schema.get("format") == "uri" else schema["type"]
    if kind == "array" and schema["items"].get("format") != "uri":
        return
    for pattern, role, kinds in _ROLES:
        if not re.fullmatch(pattern, name) or kind not in kinds or role.value in taken:
            continue
        if role is Role.SECONDS and kind == "string" and not _is_digits(schema):
            return
        schema["role"] = role.value
        _bound(draft, name, schema, role)
        return


def _is_digits(schema: Mapping[str, Any]) -> bool:
    return bool(schema.get("enum")) and all(str(each).isdigit() for each in schema["enum"])


def _bound(draft: Draft, name: str, schema: dict[str, Any], role: Role) -> None:
    if role is Role.COUNT:
        most = min(schema.get("maximum", OUTPUTS_MAX), OUTPUTS_MAX)
        schema |= {"minimum": 1, "maximum": most, "default": 1}
    elif role.is_text and "maxLength" not in schema and "enum" not in schema:
        schema["maxLength"] = max(TEXT_MAX, len(str(schema.get("default", ""))))
        draft.open.append(f"{name} says no maxLength: {schema['maxLength']} is a guess")
    elif role in _PRICING and "maximum" not in schema and "enum" not in schema:
        draft.open.append(f"{name} says no maximum: nothing can be priced by it until it does")


def _take_outputs(draft: Draft, schemas: _Schemas, made: Mapping[str, Any]) -> None:
    root = "output" if draft.provider == "replicate" else ""
    draft.outputs = list(_paths(schemas, made, root, 0))
    for number, output in enumerate(draft.outputs):
        if number:
            output["extra"] = True
    words = f"{draft.outputs[0]['path'] if draft.outputs else ''} {draft.endpoint}".lower()
    if draft.outputs and draft.outputs[0].get("as") == "text":
        words = "text"
    if not draft.outputs:
        draft.open.append("where its outputs are in an answer is not described")
    match = next((each for each in _MEDIA if re.search(each[0], words)), None)
    if match is not None:
        draft.type, draft.media = match[1:]
    roles = {each.get("role") for each in draft.properties.values()}
    if draft.type == "image_generate" and Role.IMAGE.value in roles:
        draft.type = "image_upscale" if Role.SCALE.value in roles else "image_edit"
    if draft.type == "video_generate" and Role.VIDEO.value in roles:
        draft.type = "video_edit"
    if draft.type == "audio_generate" and Role.TEXT.value in roles:
        draft.type = "speech_generate"
    draft.open.append(f"whether it is {draft.type} and makes {draft.media} was guessed")


def _paths(schemas: _Schemas, schema: Mapping[str, Any], at: str, depth: int) -> Iterator[dict[str, Any]]:
    told = schemas.plain(schema)
    kind, properties = type_of(told), told.get("properties", {})
    if kind == "array":
        yield from _paths(schemas, told.get("items", {}), f"{at}[*]", depth)
    elif "url" in properties and at:
        yield {"path": f"{at}.url"}
    elif kind == "string" and at and (told.get("format") == "uri" or at.endswith("url")):
        yield {"path": at}
    elif kind == "string" and re.search(r"(^|\.)(text|output|caption)(\[\*\])?$", at):
        yield {"path": at, "as": "text"}
    elif depth < DEPTH_MAX:
        for name, each in properties.items():
            yield from _paths(schemas, each, f"{at}.{name}" if at else name, depth + 1)


def toml_of(draft: Draft) -> str:
    """The draft as a file, with a line for everything that is to be decided."""
    most = next((p["maximum"] for p in draft.properties.values() if p.get("role") == Role.COUNT), 1)
    lines = [f"{DECIDE}{each}" for each in draft.open]
    lines += [
        f"title = {_value(draft.title)}",
        f"type = {_value(draft.type)}",
        f"outputs = {{ media = [{_value(draft.media)}], max = {most} }}",
        f"seconds_expected = 60 {DECIDE}how long it takes",
        *("", "[input]", f"required = {_value(draft.required)}", "", "[input.properties]"),
        *(f"{name} = {_value(schema)}" for name, schema in draft.properties.items()),
        *("", "[[tariff]]", f'per = "output" {DECIDE}by what it is priced'),
        f"micros = 0 {DECIDE}what it sells for, in micro-dollars",
        *("", "[[routes]]", f"provider = {_value(draft.provider)}"),
        f"model = {_value(draft.endpoint)}" + ("" if draft.endpoint else f" {DECIDE}owner and name"),
        f"input = {_value(draft.template)}",
        *([f"outputs = {_value(draft.outputs)}"] if draft.outputs else []),
        f"{DECIDE[:-1]} cost = [{{ per = …, micros = … }}] by the provider's price list",
        *("", "[[examples]]"),
        *(f"{name} = {_value(_example(draft.properties[name]))}" for name in draft.required),
    ]
    return "\n".join(lines) + "\n"


def _example(schema: Mapping[str, Any]) -> Any:
    listed = values_of(schema)
    if listed:
        return listed[0]
    if schema["type"] == "array":
        return [_example(schema["items"])] * max(1, schema.get("minItems", 1))
    if schema["type"] == "object":
        return {name: _example(schema["properties"][name]) for name in schema["required"]}
    if schema["type"] in ("integer", "number"):
        return schema.get("minimum", schema.get("maximum", 1))
    return "https://example.com/input" if schema.get("format") == "uri" else "A shark in neon waters"


def _value(value: Any) -> str:
    """An inline value of TOML: texts are written as JSON writes them."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(name)} = {_value(each)}" for name, each in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return json.dumps(value)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=False)
