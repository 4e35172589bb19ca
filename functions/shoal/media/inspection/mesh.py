"""Binary glTF 2.0 (Khronos, glTF 2.0 specification, 4.4): its chunks, its lengths, and that it is complete.

A mesh that names another file or address would have its viewer open it: everything has to be inside.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from shoal.domain.errors import OutputInvalid
from shoal.media.inspection.documents import parse_json

CHUNKS_MAX: Final = 16
NO_MESH: Final = "The provider did not deliver a readable 3D model."
CUT_OFF: Final = "The 3D model ends before its end: the file is cut off."
NOT_INSIDE: Final = "The 3D model names what is not inside of its file."
_HEAD, _CHUNK_HEAD = 12, 8
_JSON, _BINARY = b"JSON", b"BIN\x00"
_INSIDE: Final = (
    "data:application/octet-stream",
    "data:application/gltf-buffer",
    "data:image/png",
    "data:image/jpeg",
    "data:image/webp",
)


def check_mesh(data: bytes) -> None:
    """Raises `OutputInvalid` unless it is a whole binary glTF that needs nothing from elsewhere."""
    if int.from_bytes(data[8:12], "little") != len(data):
        raise OutputInvalid(CUT_OFF)
    chunks = list(_chunks(data))
    if not chunks or chunks[0][0] != _JSON:
        raise OutputInvalid(NO_MESH)
    told = parse_json(chunks[0][1])
    if not isinstance(told, dict) or not _is_version_2(told.get("asset")):
        raise OutputInvalid(NO_MESH)
    if not all(isinstance(uri, str) and uri.startswith(_INSIDE) for uri in _uris(told)):
        raise OutputInvalid(NOT_INSIDE)
    carried = [part for name, part in chunks[1:2] if name == _BINARY]
    _check_buffers(told, len(carried[0]) if carried else 0)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = _HEAD
    for _ in range(CHUNKS_MAX):
        if at == len(data):
            return
        length, name = int.from_bytes(data[at : at + 4], "little"), data[at + 4 : at + _CHUNK_HEAD]
        end = at + _CHUNK_HEAD + length
        if length % 4 or end > len(data) or len(name) < 4:
            raise OutputInvalid(CUT_OFF)
        yield name, data[at + _CHUNK_HEAD : end]
        at = end
    raise OutputInvalid(NO_MESH)


def _is_version_2(asset: object) -> bool:
    return isinstance(asset, dict) and str(asset.get("version", "")).startswith("2.")


def _uris(told: object) -> Iterator[object]:
    """Whatever is called `uri`, wherever it stands: extensions have theirs."""
    level: list[object] = [told]
    while level:
        outer = level.pop()
        if isinstance(outer, Mapping):
            yield from (value for name, value in outer.items() if name == "uri")
            level.extend(outer.values())
        elif isinstance(outer, list):
            level.extend(outer)


def _check_buffers(told: Mapping[str, Any], carried_bytes: int) -> None:
    """Raises `OutputInvalid` for a buffer that is not inside, or a view that reaches out of its buffer."""
    buffers, views = _objects(told, "buffers"), _objects(told, "bufferViews")
    lengths = [_whole(buffer, "byteLength") for buffer in buffers]
    if any("uri" not in buffer for buffer in buffers[1:]):
        raise OutputInvalid(NOT_INSIDE)
    if buffers and "uri" not in buffers[0] and lengths[0] > carried_bytes:
        raise OutputInvalid(CUT_OFF)
    for view in views:
        at = _whole(view, "buffer")
        end = _whole(view, "byteOffset", 0) + _whole(view, "byteLength")
        if at >= len(lengths) or end > lengths[at]:
            raise OutputInvalid(NO_MESH)


def _objects(told: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    found = told.get(name, [])
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise OutputInvalid(NO_MESH)
    return found


def _whole(told: Mapping[str, Any], name: str, default: int | None = None) -> int:
    value = told.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise OutputInvalid(NO_MESH)
    return value
