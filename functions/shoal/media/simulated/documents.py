"""The simulator's 3D models, JSON and texts."""

from __future__ import annotations

import json
import struct
from random import Random
from typing import Any, Final

WORDS_MAX: Final = 12
_SENTENCES: Final = (
    "This text was made by the simulator.",
    "Nothing in it was written by a model.",
    "It is the same whenever the same is asked for.",
    "A real model would have more to say.",
)
_CORNERS: Final = ((1, 1, 1), (-1, -1, 1), (-1, 1, -1), (1, -1, -1))
_FACES: Final = (0, 1, 3, 0, 2, 1, 0, 3, 2, 1, 2, 3)
_FLOAT, _SHORT, _VERTICES, _INDICES = 5126, 5123, 34962, 34963
"""Names of glTF 2.0, 5.1 and 5.11."""


def mesh(*, prompt: str, seed: int) -> bytes:
    """A binary glTF of a tetrahedron whose size and colour the seed chooses."""
    rng = _chance("mesh", prompt, seed)
    size, colour = rng.uniform(0.5, 2.0), [round(rng.random(), 3) for _ in range(3)]
    corners = [[round(size * side, 4) for side in corner] for corner in _CORNERS]
    points = b"".join(struct.pack("<3f", *corner) for corner in corners)
    faces = struct.pack(f"<{len(_FACES)}H", *_FACES)
    told: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": "Shoal's simulator"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "name": "simulated"}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1, "material": 0}]}],
        "materials": [{"pbrMetallicRoughness": {"baseColorFactor": [*colour, 1.0]}, "doubleSided": True}],
        "accessors": [
            {"bufferView": 0, "componentType": _FLOAT, "count": len(corners), "type": "VEC3"}
            | {"min": list(map(min, *corners)), "max": list(map(max, *corners))},
            {"bufferView": 1, "componentType": _SHORT, "count": len(_FACES), "type": "SCALAR"},
        ],
        "bufferViews": [
            {"buffer": 0, "byteLength": len(points), "target": _VERTICES},
            {"buffer": 0, "byteOffset": len(points), "byteLength": len(faces), "target": _INDICES},
        ],
        "buffers": [{"byteLength": len(points) + len(faces)}],
    }
    text = json.dumps(told, ensure_ascii=False).encode()
    chunks = _chunk(b"JSON", text, b" ") + _chunk(b"BIN\x00", points + faces, b"\x00")
    return b"glTF" + struct.pack("<2I", 2, 12 + len(chunks)) + chunks


def facts(*, prompt: str, seed: int) -> bytes:
    """A JSON document that finds each of the first words of a prompt somewhere, more or less surely."""
    rng = _chance("facts", prompt, seed)
    found = [
        {
            "label": word,
            "score": round(rng.uniform(0.5, 1), 3),
            "box": [round(rng.random(), 3) for _ in range(4)],
        }
        for word in prompt.split()[:WORDS_MAX]
    ]
    return json.dumps({"simulated": True, "seed": seed, "found": found}, ensure_ascii=False).encode()


def words(*, prompt: str, seed: int) -> bytes:
    """A few lines of text that begin with what was asked."""
    rng = _chance("words", prompt, seed)
    lines = [f"You asked: {' '.join(prompt.split())}", f"With the seed {seed}.", *rng.sample(_SENTENCES, 3)]
    return "\n".join(lines).encode("utf-8", "replace") + b"\n"


def _chunk(name: bytes, data: bytes, filler: bytes) -> bytes:
    padded = data + filler * (-len(data) % 4)
    return struct.pack("<I", len(padded)) + name + padded


def _chance(what: str, prompt: str, seed: int) -> Random:
    return Random(f"{what} {seed} {prompt}")  # noqa: S311 - art, not secrets
