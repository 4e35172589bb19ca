"""A catalog's files: `catalog.toml`, a file for each model, a file for each price list.

The folder of the functions has them as one `catalog.json`, which is made when they are packaged.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CATALOG = Path(__file__).parents[2] / "catalog"
"""The folder that ships."""
SHARED = "catalog.toml"
PACKAGED = "catalog.json"
MODELS = "models"
PRICE_LISTS = "price_lists"


def read_document(folder: Path = CATALOG) -> bytes:
    """The document of a catalog's files. Raises `OSError` or `tomllib.TOMLDecodeError`."""
    packaged = folder / PACKAGED
    return packaged.read_bytes() if packaged.exists() else canonical(read_files(folder))


def read_files(folder: Path) -> dict[str, Any]:
    """What the files of a folder say together. Raises `OSError` or `tomllib.TOMLDecodeError`."""
    shared = tomllib.loads((folder / SHARED).read_text(encoding="utf-8"))
    return shared | {part: _read_each(folder / part) for part in (MODELS, PRICE_LISTS)}


def canonical(catalog: Mapping[str, Any]) -> bytes:
    """The one document of what files say: the order of parameters is that of their forms."""
    return json.dumps(catalog, separators=(",", ":"), ensure_ascii=False).encode()


def _read_each(folder: Path) -> dict[str, Any]:
    return {
        file.stem: tomllib.loads(file.read_text(encoding="utf-8"))
        for file in sorted(folder.glob("*.toml"), key=lambda file: file.stem)
    }
