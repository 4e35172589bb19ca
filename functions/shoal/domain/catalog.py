"""The catalog: models, modes, prices, limits and provider routes, read from `catalog.toml`."""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveInt,
    StringConstraints,
    model_validator,
)

from shoal.domain.brief import Kind
from shoal.domain.clip import CLIP_SIZES_PX, SCENE_SECONDS
from shoal.domain.errors import NotFound
from shoal.domain.models.versions import canonical, version_of
from shoal.domain.money import Asset
from shoal.domain.routing import Route
from shoal.domain.top_up import TopUp

CATALOG_FILE = Path(__file__).parent.parent / "catalog.toml"
OUTPUTS_MAX = 4
NEAREST_MAX = 3
VIDEO_SCENES_MAX = 15
"""120 seconds: what the published API sells at most."""

ModelType = Literal["image_generate", "video_generate"]
Ratio = Annotated[str, StringConstraints(pattern="^[1-9][0-9]?:[1-9][0-9]?$")]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Model(_Entry):
    """A model callers can use.

    `price_micros` (micro-dollars) or `price_credits` is per output. `routes` are tried in their order.
    `input_images_max` is how many pictures it edits, 0 if it does not. `seconds_expected` is what a quote
    says while there are no recent runs. `at_a_loss` states that the price is below the cost.
    """

    title: str
    type: ModelType
    price_micros: NonNegativeInt | None = None
    price_credits: NonNegativeInt | None = None
    long_side_px: PositiveInt
    aspect_ratios: tuple[Ratio, ...] = Field(min_length=1, strict=False)
    prompt_length_max: PositiveInt = 4_000
    outputs_max: int = Field(default=OUTPUTS_MAX, ge=1, le=OUTPUTS_MAX)
    negative_prompt: bool = False
    input_images_max: int = Field(default=0, ge=0, le=OUTPUTS_MAX)
    routes: tuple[Route, ...] = Field(min_length=1, strict=False)
    at_a_loss: bool = False
    seconds_expected: PositiveInt
    deprecated: bool = False
    replacement: str | None = None

    @model_validator(mode="after")
    def _one_price(self) -> Self:
        if (self.price_micros is None) == (self.price_credits is None):
            raise ValueError("give either price_micros or price_credits")
        return self

    @model_validator(mode="after")
    def _routes_differ(self) -> Self:
        if len({route.name for route in self.routes}) < len(self.routes):
            raise ValueError("a route is there twice")
        return self

    @property
    def kind(self) -> Kind:
        return Kind.PICTURE if self.type == "image_generate" else Kind.CLIP

    @property
    def default_aspect_ratio(self) -> str:
        """The first one offered."""
        return self.aspect_ratios[0]

    @property
    def asset(self) -> Asset:
        return Asset.CREDIT if self.price_micros is None else Asset.USD

    @property
    def price(self) -> int:
        """Per output, in the asset's unit."""
        return (self.price_credits if self.price_micros is None else self.price_micros) or 0

    @property
    def cost_micros(self) -> int:
        """What an output costs us on the first route whose cost is known; 0 if none is."""
        return next((route.cost_micros for route in self.routes if route.cost_micros is not None), 0)


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
    models: dict[str, Model]
    modes: dict[str, Mode]
    video: Video

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

    @model_validator(mode="after")
    def _losses_are_meant(self) -> Self:
        for name, model in self.models.items():
            loses = any(price < model.cost_micros for price in self._prices_micros(name))
            if loses != model.at_a_loss:
                costs = f"model {name!r} costs {model.cost_micros} micro-dollars where it is asked first"
                raise ValueError(f"{costs}: at_a_loss must be {str(loses).lower()}")
        return self

    def _prices_micros(self, name: str) -> Sequence[int]:
        """What an output brings, in micro-dollars: by itself, in each mode, as the clip of a scene."""
        model, credit_micros = self.models[name], self.top_up.credit_micros_min
        alone = model.price * credit_micros if model.price_micros is None else model.price_micros
        prices = [alone, *(mode.price_micros for mode in self.modes.values() if mode.model == name)]
        if name == self.video.clip_model:
            prices.append(self.video.price_credits * credit_micros)
        return prices

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
def load_catalog(path: Path = CATALOG_FILE) -> Catalog:
    """Read and check the catalog. Raises `pydantic.ValidationError` or `tomllib.TOMLDecodeError`."""
    return catalog_of(read_document(path))


def read_document(path: Path = CATALOG_FILE) -> bytes:
    """The document of a catalog's file, as versions keep it. Raises `tomllib.TOMLDecodeError`."""
    return canonical(tomllib.loads(path.read_text(encoding="utf-8")))


def catalog_of(document: bytes) -> Catalog:
    """Check the catalog of a document. Raises `ValueError` for what is none."""
    told = json.loads(document)
    if not isinstance(told, dict):
        raise ValueError("a catalog is an object")
    return Catalog.model_validate({**told, "version": version_of(document)})


def size_px(long_side_px: int, aspect_ratio: str) -> tuple[int, int]:
    """Width and height in pixels of a picture with this long side and a ratio such as `16:9`."""
    across, down = (int(part) for part in aspect_ratio.split(":"))
    short = round(long_side_px * min(across, down) / max(across, down))
    return (long_side_px, short) if across >= down else (short, long_side_px)
