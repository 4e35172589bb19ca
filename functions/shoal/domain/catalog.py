"""The catalog: models, modes, prices, limits and provider routes, read from a folder of files."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    InstanceOf,
    NonNegativeInt,
    PositiveInt,
    StringConstraints,
    field_validator,
    model_validator,
)

from shoal.domain.clip import CLIP_SIZES_PX, SCENE_SECONDS
from shoal.domain.errors import NotFound
from shoal.domain.models.files import CATALOG, read_document
from shoal.domain.models.model import Model, model_of
from shoal.domain.models.versions import version_of
from shoal.domain.money import Asset
from shoal.domain.routing import Route
from shoal.domain.top_up import TopUp

NEAREST_MAX = 3
VIDEO_SCENES_MAX = 15
"""120 seconds: what the published API sells at most."""

Ratio = Annotated[str, StringConstraints(pattern="^[1-9][0-9]?:[1-9][0-9]?$")]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Mode(_Entry):
    """A mode of the image dialect. `price_micros` is in micro-dollars an image."""

    model: str
    long_side_px: PositiveInt
    price_micros: NonNegativeInt


class Video(_Entry):
    """What a video costs, and who makes its parts.

    `price_credits` is per scene, `clip_model` is the model that makes the clips of the scenes. The routes
    are script writers and speakers in the order they are tried.
    """

    price_credits: NonNegativeInt
    scenes_max: int = Field(ge=1, le=VIDEO_SCENES_MAX)
    aspect_ratios: tuple[Ratio, ...] = Field(min_length=1, strict=False)
    clip_model: str
    script_routes: tuple[Route, ...] = Field(min_length=1, strict=False)
    speech_routes: tuple[Route, ...] = Field(min_length=1, strict=False)

    @model_validator(mode="after")
    def _can_be_made(self) -> Self:
        if unknown := set(self.aspect_ratios) - CLIP_SIZES_PX.keys():
            raise ValueError(f"there are no clips of {', '.join(sorted(unknown))}")
        return self

    @property
    def seconds_max(self) -> int:
        """How long a video may be."""
        return self.scenes_max * SCENE_SECONDS


class LowBalance(_Entry):
    """With less than this available a wallet is low: micro-dollars, and credits."""

    micros: NonNegativeInt
    credits: NonNegativeInt

    def of(self, asset: Asset) -> int:
        """The threshold in the asset's unit."""
        return self.micros if asset.in_dollars else self.credits


class Catalog(_Entry):
    """All that can be asked for and what it costs, when a wallet is low, and what fills it again.

    `assistants` are models that make no output themselves, by what they are for. `version` is what its
    document is named by.
    """

    version: str = ""
    price_version: str
    default_mode: str
    low_balance: LowBalance
    top_up: TopUp
    assistants: dict[str, str]
    models: dict[str, InstanceOf[Model]]
    price_lists: dict[str, Any] = Field(default_factory=dict)
    modes: dict[str, Mode]
    video: Video

    @field_validator("models", mode="before")
    @classmethod
    def _models_are_built(cls, told: object) -> object:
        if not isinstance(told, Mapping):
            raise ValueError("must be models by their ids")
        return {name: each if isinstance(each, Model) else _built(name, each) for name, each in told.items()}

    @model_validator(mode="after")
    def _names_resolve(self) -> Self:
        if self.default_mode not in self.modes:
            raise ValueError(f"default_mode {self.default_mode!r} is not a mode")
        named = [(f"mode {name!r}", mode.model) for name, mode in self.modes.items()]
        named += [(f"model {name!r}", model.replacement or name) for name, model in self.models.items()]
        named += [("video", self.video.clip_model)]
        for who, target in named:
            if target not in self.models:
                raise ValueError(f"{who} names an unknown model {target!r}")
        return self

    def routes(self, model: str) -> Sequence[Route]:
        """All ways to make a model's outputs; none if there is no such model (any more)."""
        return self.models[model].routes if model in self.models else ()

    def all_routes(self) -> frozenset[Route]:
        """Of every model, and of the parts of a video."""
        made = [route for model in self.models.values() for route in model.routes]
        return frozenset((*made, *self.video.script_routes, *self.video.speech_routes))

    def model(self, name: str) -> Model:
        """Raises `NotFound` with the nearest names."""
        if name not in self.models:
            nearest = difflib.get_close_matches(name[:100], self.models, NEAREST_MAX, cutoff=0.4)
            hint = f" Did you mean {', '.join(nearest)}?" if nearest else ""
            raise NotFound(f"There is no model {name[:100]!r}.{hint}", details={"nearest": nearest})
        return self.models[name]


@cache
def load_catalog(path: Path = CATALOG) -> Catalog:
    """Read the catalog of a folder, which was checked. Raises `OSError` or `ValueError` for what is none."""
    return catalog_of(read_document(path))


def catalog_of(document: bytes) -> Catalog:
    """The catalog of a document. Raises `ValueError` for what is none."""
    told = json.loads(document)
    if not isinstance(told, dict):
        raise ValueError("a catalog is an object")
    return Catalog.model_validate({**told, "version": version_of(document)})


def _built(name: str, told: Mapping[str, Any]) -> Model:
    try:
        return model_of(name, told)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"model {name!r} is not as a checked catalog has it: {error!r}") from error


def size_px(long_side_px: int, aspect_ratio: str) -> tuple[int, int]:
    """Width and height in pixels of a picture with this long side and a ratio such as `16:9`."""
    across, down = (int(part) for part in aspect_ratio.split(":"))
    short = round(long_side_px * min(across, down) / max(across, down))
    return (long_side_px, short) if across >= down else (short, long_side_px)
