"""The catalog: models, modes, prices, limits and provider routes, read from `catalog.toml`."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveInt,
    model_validator,
)

CATALOG_FILE = Path(__file__).parent.parent / "catalog.toml"


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Model(_Entry):
    """A model callers can use. `routes` are providers in the order they are tried."""

    type: Literal["image_generate"]
    aspect_ratios: list[str] = Field(min_length=1)
    default_aspect_ratio: str
    routes: list[str] = Field(min_length=1)

    @model_validator(mode="after")
    def _default_is_offered(self) -> Self:
        if self.default_aspect_ratio not in self.aspect_ratios:
            raise ValueError("default_aspect_ratio is not among aspect_ratios")
        return self


class Mode(_Entry):
    """A mode of the image dialect. `price_micros` is in micro-dollars an image."""

    model: str
    long_side_px: PositiveInt
    price_micros: NonNegativeInt


class Catalog(_Entry):
    """All that can be asked for and what it costs."""

    price_version: str
    default_mode: str
    models: dict[str, Model]
    modes: dict[str, Mode]

    @model_validator(mode="after")
    def _names_resolve(self) -> Self:
        if self.default_mode not in self.modes:
            raise ValueError(f"default_mode {self.default_mode!r} is not a mode")
        for name, mode in self.modes.items():
            if mode.model not in self.models:
                raise ValueError(f"mode {name!r} names an unknown model {mode.model!r}")
        return self


@cache
def load_catalog(path: Path = CATALOG_FILE) -> Catalog:
    """Read and check the catalog. Raises `pydantic.ValidationError` or `tomllib.TOMLDecodeError`."""
    return Catalog.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))


def size_px(long_side_px: int, aspect_ratio: str) -> tuple[int, int]:
    """Width and height in pixels of a picture with this long side and a ratio such as `16:9`."""
    across, down = (int(part) for part in aspect_ratio.split(":"))
    short = round(long_side_px * min(across, down) / max(across, down))
    return (long_side_px, short) if across >= down else (short, long_side_px)
