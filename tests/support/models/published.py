"""Documents of endpoints, written after the forms in which fal and Replicate publish theirs.

The forms are real: fal's `paths` with a POST and a request's GET, `x-fal-metadata`, `x-fal-order-properties`,
alternatives with null, sizes as an object or a word; Replicate's `latest_version.openapi_schema` with
`Input`, `Output`, `x-order`, enumerations by `allOf`, `nullable`. The endpoints are made up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Properties = Mapping[str, Mapping[str, Any]]
FILE: dict[str, Any] = {
    "type": "object",
    "title": "File",
    "required": ["url"],
    "properties": {
        "url": {"type": "string", "title": "Url", "description": "Where it can be had."},
        "content_type": {"anyOf": [{"type": "string"}, {"type": "null"}], "title": "Content Type"},
        "file_size": {"anyOf": [{"type": "integer"}, {"type": "null"}], "title": "File Size"},
    },
}
SIZE: dict[str, Any] = {
    "type": "object",
    "title": "ImageSize",
    "properties": {
        "width": {"type": "integer", "default": 512, "exclusiveMinimum": 0, "maximum": 14_142},
        "height": {"type": "integer", "default": 512, "exclusiveMinimum": 0, "maximum": 14_142},
    },
}
SHARED: dict[str, Any] = {"File": FILE, "Image": {**FILE, "title": "Image"}, "ImageSize": SIZE}
TEXT: dict[str, Any] = {"type": "string", "title": "Prompt", "description": 'What "to" make.\nIn words.'}
SEED: dict[str, Any] = {"anyOf": [{"type": "integer"}, {"type": "null"}], "title": "Seed"}
LINK: dict[str, Any] = {"type": "string", "title": "Image Url", "ui": {"field": "image"}}
STEPS: dict[str, Any] = {"type": "integer", "minimum": 1, "maximum": 50, "default": 28, "title": "Steps"}
COUNT: dict[str, Any] = {"type": "integer", "minimum": 1, "maximum": 4, "default": 1}
SIZES: dict[str, Any] = {
    "anyOf": [
        {"$ref": "#/components/schemas/ImageSize"},
        {"type": "string", "enum": ["square_hd", "square", "portrait_4_3", "landscape_16_9"]},
    ],
    "default": "landscape_16_9",
    "title": "Image Size",
}
SYNC: dict[str, Any] = {"type": "boolean", "default": False, "title": "Sync Mode"}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _many(name: str) -> dict[str, Any]:
    return {"type": "array", "items": _ref(name)}


def _words(*words: str) -> dict[str, Any]:
    return {"type": "string", "enum": list(words), "default": words[0]}


FAL: dict[str, tuple[Properties, Sequence[str], Properties]] = {
    "fal-ai/reef/dev": (
        {
            "num_images": COUNT,
            "prompt": TEXT,
            "image_size": SIZES,
            "num_inference_steps": STEPS,
            "guidance_scale": {"type": "number", "minimum": 1, "maximum": 20, "default": 3.5},
            "seed": SEED,
            "sync_mode": SYNC,
        },
        ["prompt"],
        {"images": _many("Image"), "seed": {"type": "integer"}},
    ),
    "fal-ai/reef/dev/image-to-image": (
        {"prompt": TEXT, "image_url": LINK, "strength": {"type": "number", "default": 0.95, "maximum": 1}},
        ["prompt", "image_url"],
        {"images": _many("Image")},
    ),
    "fal-ai/current/v2/text-to-video": (
        {
            "prompt": TEXT,
            "duration": _words("5", "10"),
            "aspect_ratio": _words("16:9", "9:16", "1:1"),
            "negative_prompt": {"type": "string", "default": "blur", "maxLength": 2_500},
            "mode": _words("std", "pro"),
        },
        ["prompt"],
        {"video": _ref("File")},
    ),
    "fal-ai/current/v2/image-to-video": (
        {
            "prompt": TEXT,
            "image_url": LINK,
            "tail_image_url": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "camera": {
                "anyOf": [
                    {
                        "type": "object",
                        "required": ["movement"],
                        "properties": {
                            "movement": _words("left", "right"),
                            "value": {"type": "integer", "minimum": -10, "maximum": 10},
                        },
                    },
                    {"type": "null"},
                ]
            },
            "dynamic_masks": {
                "type": "array",
                "items": {"type": "object", "properties": {"x": {"type": "integer"}}},
            },
        },
        ["prompt", "image_url"],
        {"video": _ref("File")},
    ),
    "fal-ai/tide/upscale": (
        {
            "image_url": LINK,
            "scale": {"type": "integer", "enum": [2, 4], "default": 2},
            "model": _words("a", "b"),
        },
        ["image_url"],
        {"image": _ref("Image")},
    ),
    "fal-ai/shell/background/remove": (
        {"image_url": LINK, "sync_mode": SYNC},
        ["image_url"],
        {"image": _ref("Image"), "mask_image": _ref("Image")},
    ),
    "fal-ai/whale/text-to-speech": (
        {
            "text": {"type": "string", "minLength": 1, "maxLength": 5_000},
            "voice": _words("Aria", "Roger"),
            "speed": {"type": "number", "minimum": 0.7, "maximum": 1.2, "default": 1},
        },
        ["text"],
        {"audio": _ref("File"), "timestamps": {"anyOf": [{"type": "array", "items": {}}, {"type": "null"}]}},
    ),
    "fal-ai/whale/music": (
        {"prompt": TEXT, "duration": {"type": "integer", "title": "Duration", "default": 30}},
        ["prompt"],
        {"audio": _ref("File")},
    ),
    "fal-ai/coral/image-to-3d": (
        {
            "image_url": LINK,
            "multi_view_urls": {"type": "array", "items": {"type": "string"}, "maxItems": 4},
            "texture": _words("standard", "no", "HD"),
            "type": _words("a", "b"),
            "seed": {"type": "number"},
        },
        ["image_url"],
        {"model_mesh": _ref("File"), "rendered_image": _ref("Image")},
    ),
    "fal-ai/pearl/lipsync": (
        {
            "video_url": {"type": "string"},
            "audio_url": {"type": "string"},
            "sync_mode": _words("cut_off", "loop"),
        },
        ["video_url", "audio_url"],
        {"video": _ref("File")},
    ),
    "fal-ai/pearl/caption": (
        {"image_url": LINK, "prompt": {**TEXT, "default": "Tell what is there."}},
        ["image_url"],
        {"output": {"type": "string"}},
    ),
}

_LINKED: dict[str, Any] = {"type": "string", "format": "uri"}
REPLICATE: dict[str, tuple[Properties, Sequence[str], Mapping[str, Any]]] = {
    "reef/schnell": (
        {
            "seed": {"type": "integer", "x-order": 4, "description": "Random seed."},
            "prompt": {"type": "string", "x-order": 0},
            "aspect_ratio": {"allOf": [_ref("aspect_ratio")], "default": "1:1", "x-order": 1},
            "num_outputs": {"type": "integer", "maximum": 4, "minimum": 1, "default": 1, "x-order": 2},
            "output_format": {"allOf": [_ref("output_format")], "default": "webp", "x-order": 3},
        },
        ["prompt"],
        {"type": "array", "items": _LINKED},
    ),
    "reef/kontext": (
        {
            "prompt": {"type": "string", "x-order": 0},
            "input_image": {**_LINKED, "nullable": True, "x-order": 1},
        },
        ["prompt"],
        _LINKED,
    ),
    "current/clip-1": (
        {
            "fps": {"type": "integer", "enum": [24], "default": 24, "x-order": 4},
            "prompt": {"type": "string", "x-order": 0},
            "image": {**_LINKED, "x-order": 1},
            "duration": {"type": "integer", "minimum": 3, "maximum": 12, "default": 5, "x-order": 2},
            "resolution": {"type": "string", "enum": ["480p", "1080p"], "default": "1080p", "x-order": 3},
        },
        ["prompt"],
        {**_LINKED, "title": "Output"},
    ),
    "current/extend-video": (
        {"video": {**_LINKED, "x-order": 0}, "store": {"type": "boolean", "default": True, "x-order": 1}},
        ["video"],
        _LINKED,
    ),
    "tide/image-upscaler": (
        {
            "image": {**_LINKED, "x-order": 0},
            "scale": {"type": "number", "default": 4, "maximum": 10, "x-order": 1},
        },
        ["image"],
        _LINKED,
    ),
    "shell/remove-image-background": ({"image": {**_LINKED, "x-order": 0}}, ["image"], _LINKED),
    "shell/inpaint-image": (
        {
            "prompt": {"type": "string", "x-order": 0},
            "image": {**_LINKED, "x-order": 1},
            "mask": {**_LINKED, "x-order": 2},
            "steps": {"type": "integer", "minimum": 1, "maximum": 500, "default": 50, "x-order": 3},
        },
        ["prompt", "image", "mask"],
        {"type": "array", "items": _LINKED},
    ),
    "whale/speech-audio": (
        {
            "text": {"type": "string", "x-order": 0},
            "speaker": {**_LINKED, "x-order": 1},
            "cleanup-voice": {"type": "boolean", "default": False, "x-order": 2},
        },
        ["text", "speaker"],
        _LINKED,
    ),
    "whale/music-audio": (
        {
            "prompt": {"type": "string", "default": "edo25 major", "x-order": 0},
            "duration": {"type": "integer", "default": 8, "x-order": 1},
            "melody": {**_LINKED, "nullable": True, "x-order": 2},
        },
        [],
        _LINKED,
    ),
    "coral/mesh": (
        {
            "images": {"type": "array", "items": _LINKED, "x-order": 0},
            "randomize_seed": {"type": "boolean", "default": True, "x-order": 1},
        },
        ["images"],
        {
            "type": "object",
            "properties": {"model_file": {**_LINKED, "nullable": True}, "color_video": {**_LINKED}},
        },
    ),
    "pearl/caption-text": (
        {
            "image": {**_LINKED, "x-order": 0},
            "secret": {"type": "string", "format": "password", "x-cog-secret": True, "x-order": 1},
            "extra": {"x-order": 2},
        },
        ["image"],
        {"type": "array", "items": {"type": "string"}, "x-cog-array-type": "iterator"},
    ),
}
ENUMERATED: dict[str, Any] = {
    "aspect_ratio": {"type": "string", "enum": ["1:1", "16:9"], "title": "aspect_ratio"},
    "output_format": {"type": "string", "enum": ["webp", "png"], "title": "output_format"},
}


def fal_document(*endpoints: str) -> dict[str, Any]:
    """What fal publishes of endpoints, in one document where there are several."""
    named: dict[str, Any] = dict(SHARED)
    paths: dict[str, Any] = {}
    for number, endpoint in enumerate(endpoints):
        properties, required, made = FAL[endpoint]
        told = {"type": "object", "properties": properties, "required": required}
        named[f"E{number}Input"] = told | {
            "x-fal-order-properties": sorted(properties, key=lambda n: n != "prompt")
        }
        named[f"E{number}Output"] = {"type": "object", "properties": made, "required": list(made)}
        body = {"content": {"application/json": {"schema": _ref(f"E{number}Input")}}}
        paths[f"/{endpoint}/requests/{{request_id}}/status"] = {"get": {"responses": {}}}
        paths[f"/{endpoint}"] = {"post": {"requestBody": {"required": True, **body}, "responses": {}}}
        answer = {"content": {"application/json": {"schema": _ref(f"E{number}Output")}}}
        paths[f"/{endpoint}/requests/{{request_id}}"] = {"get": {"responses": {"200": answer}}}
    info: dict[str, Any] = {"title": "Queue OpenAPI", "version": "1.0.0"}
    if len(endpoints) == 1:
        info["x-fal-metadata"] = {"endpointId": endpoints[0], "category": "text-to-image"}
    return {"openapi": "3.0.4", "info": info, "components": {"schemas": named}, "paths": paths}


def replicate_document(name: str) -> dict[str, Any]:
    """What Replicate answers of a model."""
    properties, required, made = REPLICATE[name]
    told = {"type": "object", "title": "Input", "properties": properties, "required": required}
    schemas = {
        **ENUMERATED,
        "Input": told,
        "Output": made,
        "Status": {"type": "string", "enum": ["starting"]},
    }
    return {
        "owner": name.partition("/")[0],
        "name": name.partition("/")[2],
        "latest_version": {"id": "0" * 64, "openapi_schema": {"components": {"schemas": schemas}}},
    }
