"""What a route of the catalog says of a model: its input as it is sent, its outputs where they are found.

A route's words know the model, and the adapter does not: nothing is added to the input, and nothing is
looked for elsewhere in the answer.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from shoal.adapters.providers.kit.fields import Inline, data_uri, seed_of, storable
from shoal.adapters.providers.kit.http import Reply
from shoal.domain.errors import REFUSED_BY_MODERATION, ProviderFailed, ProviderRejected
from shoal.domain.models.template import find
from shoal.domain.provider import OutputPath, ProviderOutput, ProviderRequest, StagedInput
from shoal.domain.text import json_text

NO_OUTPUT = "The provider delivered no output."
EXTRAS_MAX = 16
"""Files beside an output: a mesh has its textures, and no model has ever had more."""

SEEDS = 2**31


def routed_input(
    value: Mapping[str, Any], file: Callable[[StagedInput], Any] | None = None
) -> dict[str, Any]:
    """A route's input as JSON. `file` says how a file is spelled: as a data URI (RFC 2397) if not told."""
    return {name: _sendable(part, file or _data_uri) for name, part in value.items()}


def is_file(value: Any) -> bool:
    """Whether a part of an input is a file, or several."""
    if isinstance(value, list | tuple):
        return bool(value) and all(map(is_file, value))
    return isinstance(value, StagedInput)


def form_text(value: Any) -> str:
    """A part of an input as a form spells it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def plain_input(request: ProviderRequest) -> dict[str, Any]:
    """What a request says where its route has no words of its own; what is not asked for is not there."""
    brief = request.brief
    fields: dict[str, Any] = {
        "prompt": brief.prompt,
        "width": brief.width_px,
        "height": brief.height_px,
        "negative_prompt": brief.negative_prompt,
        "seed": seed_of(request, SEEDS),
        "seconds": request.seconds,
        "images": [data_uri(picture) for picture in request.inputs] or None,
    }
    return {name: value for name, value in fields.items() if value is not None}


def input_of(request: ProviderRequest) -> dict[str, Any]:
    """The route's input, or else the plain fields of the request."""
    return plain_input(request) if request.input is None else routed_input(request.input)


def output_of(reply: Reply, request: ProviderRequest) -> ProviderOutput | None:
    """The output that the route's paths find, with the files beside it; None if the route names no paths.

    Raises `ProviderRejected` where the answer says so, `ProviderFailed` if there is no output.
    """
    return output_in(reply.json(), request, shortened=reply.shortened)


def output_in(
    answer: Mapping[str, Any],
    request: ProviderRequest,
    *,
    shortened: bool = False,
    file_of: Callable[[Any], ProviderOutput | None] | None = None,
) -> ProviderOutput | None:
    """As `output_of`, in an answer that came otherwise. `shortened`: long texts were left out of it.

    `file_of` makes a file of what is at a path, where that is no address.
    """
    if request.refused_when and any(find(answer, request.refused_when)):
        raise ProviderRejected(REFUSED_BY_MODERATION)
    if not request.outputs:
        return None
    if shortened and any(path.as_ != "file" for path in request.outputs):
        raise ProviderFailed("The provider's output was too large.")
    make = file_of or file_at
    found = [each for path in request.outputs if not path.extra for each in _files(answer, path, make)]
    if not found:
        raise ProviderFailed(NO_OUTPUT)
    extras = [each for path in request.outputs if path.extra for each in _files(answer, path, make)]
    main = found[0]
    return ProviderOutput(main.file, main.url, main.content_type, tuple(extras[:EXTRAS_MAX]))


def _data_uri(file: StagedInput) -> Inline:
    return Inline(file.data, f"data:{file.content_type};base64,")


def _sendable(value: Any, file: Callable[[StagedInput], Any]) -> Any:
    if isinstance(value, StagedInput):
        return file(value)
    if isinstance(value, Mapping):
        return routed_input(value, file)
    return [_sendable(part, file) for part in value] if isinstance(value, list | tuple) else value


def _files(
    answer: Mapping[str, Any], path: OutputPath, file_of: Callable[[Any], ProviderOutput | None]
) -> Iterable[ProviderOutput]:
    found = find(answer, path.path)
    if path.as_ == "json":
        return [_written(json_text(each), "application/json") for each in found]
    if path.as_ == "text":
        return [_written(text, "text/plain") for each in found if (text := _text(each))]
    return [file for each in found if (file := file_of(each))]


def file_at(told: Any) -> ProviderOutput | None:
    """A file by its address, or by an object that holds one, as fal's do."""
    of_object = isinstance(told, Mapping)
    url = told.get("url") if of_object else told
    kind = told.get("content_type") if of_object else ""
    if not isinstance(url, str) or not url.startswith(("https://", "http://")):
        return None
    return ProviderOutput(url=url, content_type=kind if isinstance(kind, str) else "")


def _text(told: Any) -> str:
    """A text, or one that came in pieces."""
    pieces = told if isinstance(told, list) else [told]
    return "".join(each for each in pieces if isinstance(each, str))


def _written(text: str, content_type: str) -> ProviderOutput:
    return ProviderOutput(file=io.BytesIO(storable(text).encode()), content_type=content_type)
