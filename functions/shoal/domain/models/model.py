"""A model that callers can use, as its file describes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, cast, get_args

from shoal.domain.brief import Kind
from shoal.domain.models.inputs import Inputs, Property, Values, word_of
from shoal.domain.models.measures import Measures, Staged
from shoal.domain.models.pricing import Row, terms_of
from shoal.domain.models.roles import Role
from shoal.domain.models.tariff import BASIS_POINTS, Terms, Unit
from shoal.domain.models.template import Template, render
from shoal.domain.money import Asset
from shoal.domain.routing import Route

ModelType = Literal[
    "image_generate",
    "image_edit",
    "image_upscale",
    "image_segment",
    "video_generate",
    "video_edit",
    "audio_generate",
    "speech_generate",
    "model3d_generate",
    "text_generate",
]
TYPES: tuple[ModelType, ...] = get_args(ModelType)
USUAL_TYPES: Mapping[Kind, ModelType] = {
    Kind.PICTURE: "image_generate",
    Kind.CLIP: "video_generate",
    Kind.VIDEO: "video_generate",
    Kind.AUDIO: "audio_generate",
    Kind.MODEL3D: "model3d_generate",
    Kind.JSON: "text_generate",
    Kind.TEXT: "text_generate",
}
"""The usual type of what makes each kind."""
PROMPT_LENGTH_MAX = 4_000
TIMEOUT_S = 600
_TYPICAL = (
    Staged(Role.IMAGE, width_px=1_000, height_px=1_000),
    Staged(Role.VIDEO, duration_ms=10_000),
)
"""What stands for inputs that nobody has seen, where a cost is estimated."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Model:
    """What can be asked for, its price, and how providers are asked for it.

    `document` is what its file says. `media` are the types an output may have, the usual one first;
    `outputs_max` is how many a job may have. `seconds_expected` is what a quote says while there are no
    recent runs, `timeout_seconds` what a provider may take. `aliases` are its names in other dialects.
    `at_a_loss` states that the price is below the cost. `low_factor_bp` is what `priority: low` pays.
    `routes` are asked in their order, `templates` say how, by the route's name.
    """

    id: str
    document: Mapping[str, Any]
    title: str
    type: ModelType
    description: str
    media: tuple[str, ...]
    outputs_max: int
    timeout_seconds: int
    seconds_expected: int
    aliases: Mapping[str, Sequence[str]]
    at_a_loss: bool
    deprecated: bool
    replacement: str | None
    low_factor_bp: int
    inputs: Inputs
    measures: Measures
    rows: tuple[Row, ...]
    asset: Asset
    routes: tuple[Route, ...]
    costs: tuple[tuple[Row, ...] | None, ...]
    templates: Mapping[str, Template]
    examples: tuple[Mapping[str, Any], ...]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Model) and (self.id, self.document) == (other.id, other.document)

    def __hash__(self) -> int:
        return hash(self.id)

    @property
    def kind(self) -> Kind:
        """What a job of it makes."""
        return kind_of(self.type, self.media)

    @property
    def is_flat(self) -> bool:
        """Whether an output costs the same whatever is asked for."""
        return len(self.rows) == 1 and self.rows[0].is_flat

    @cached_property
    def defaults(self) -> Values:
        """What a request has that says nothing; stands for what is required and has no default."""
        return self.inputs.filled(
            {name: _least(each) for name, each in self.inputs.properties.items() if each.required}
        )

    @property
    def price(self) -> int:
        """Of an output as it is made unless more is asked for, in the asset's unit."""
        return self.terms(self.defaults, _TYPICAL).price_of(1)

    @property
    def cost_micros(self) -> int:
        """What such an output costs us on the first route whose cost is known; 0 if none is."""
        return next((route.cost_micros for route in self.routes if route.cost_micros is not None), 0)

    @property
    def aspect_ratios(self) -> tuple[str, ...]:
        """Those that are offered, the default one first; none if it has no such parameter."""
        own = self.inputs.of_role(Role.ASPECT_RATIO)
        listed = tuple(str(each) for each in (own.values if own else None) or ())
        return tuple(sorted(listed, key=lambda each: each != self.default_aspect_ratio))

    @property
    def default_aspect_ratio(self) -> str:
        """Empty if it has no such parameter."""
        own = self.inputs.of_role(Role.ASPECT_RATIO)
        return str(own.default or (own.values or ("",))[0]) if own else ""

    @property
    def prompt_length_max(self) -> int:
        """Characters of a prompt."""
        own = self.inputs.of_role(Role.PROMPT) or self.inputs.of_role(Role.TEXT)
        return (own.most if own else None) or PROMPT_LENGTH_MAX

    @property
    def negative_prompt(self) -> bool:
        """Whether it can be told what not to make."""
        return self.inputs.of_role(Role.NEGATIVE_PROMPT) is not None

    @property
    def input_images_max(self) -> int:
        """How many pictures it edits, 0 if it does not."""
        own = self.inputs.of_role(Role.IMAGE)
        if own is None:
            return 0
        return own.most or 1 if own.kind == "array" else 1

    @property
    def unsupported(self) -> str:
        """Why no job of it is sold, empty if they are: what it takes is not staged or measured yet."""
        files = [own for own in self.inputs.properties.values() if own.role and own.role.is_file]
        for own in files:
            if own.role is not Role.IMAGE:
                return f"inputs such as {own.name} are not taken"
        told = {
            Unit.INPUT_MEGAPIXEL: False,
            Unit.INPUT_SECOND: False,
            Unit.MEGAPIXEL: self.measures.size(self.defaults) is not None,
            Unit.SECOND: self.inputs.of_role(Role.SECONDS) is not None,
        }
        by_inputs = [row.per for row in self.rows if not told.get(row.per, True)]
        return f"a price by the {by_inputs[0].words} of an input is not taken" if by_inputs else ""

    @property
    def sentence(self) -> str:
        """The price in words, as it is unless more is asked for: `$0.062 a second at 720p`."""
        by = dict.fromkeys(name for row in self.rows for name in row.by)
        chosen = ", ".join(
            f"{name} {word_of(value)}" if isinstance(value := self.defaults[name], bool) else word_of(value)
            for name in by
        )
        said = self.terms(self.defaults, _TYPICAL).sentence(self.asset)
        return f"{said} at {chosen}" if chosen else said

    def terms(self, values: Values, staged: Sequence[Staged] = ()) -> Terms:
        """What a request is charged by, at the most it can come to; `values` are filled and checked."""
        return terms_of(self.rows, self.measures, values, staged)

    def costs_of(self, rows: tuple[Row, ...], values: Values, staged: Sequence[Staged] = ()) -> Terms:
        """What a route's rows come to, in micro-dollars."""
        return terms_of(rows, self.measures, values, staged)

    def size_px(self, values: Values, staged: Sequence[Staged] = ()) -> tuple[int, int]:
        """Width and height of an output; 0 where nothing tells them."""
        return self.measures.size(values, staged) or (0, 0)

    def routes_for(self, values: Values) -> tuple[Route, ...]:
        """The routes that take a request: those that are for the same as the first one that takes it."""
        fitting = [route for route in self.routes if self._takes(route, values)]
        return tuple(route for route in fitting if self._when(route) == self._when(fitting[0]))

    def input_for(self, route: Route, values: Values) -> Mapping[str, Any] | None:
        """What a route's provider is handed, None where the adapter maps a brief by itself.

        `values` are filled; files among them are what the adapter takes them as.
        """
        template = self.templates.get(route.name)
        if template is None or template.input is None:
            return None
        width, height = self.size_px(values)
        sized = {"width": width, "height": height} if width else {}
        return render(template.input, sized | dict(values))

    def _takes(self, route: Route, values: Values) -> bool:
        template = self.templates.get(route.name)
        return template is None or template.fits(values)

    def _when(self, route: Route) -> Mapping[str, bool]:
        template = self.templates.get(route.name)
        return template.when if template else {}


def model_of(name: str, told: Mapping[str, Any]) -> Model:
    """The model of a document that was checked."""
    inputs = Inputs.from_document(told["input"], told.get("refuse", ()))
    measures = Measures.from_document(inputs, told.get("sizes", {}))
    rows = tuple(Row.from_document(each) for each in told["tariff"])
    count = inputs.of_role(Role.COUNT)
    in_credits = any("credits" in each for each in told["tariff"])
    model = Model(
        id=name,
        document=told,
        title=told["title"],
        type=cast("ModelType", told["type"]),
        description=told.get("description", ""),
        media=tuple(told["outputs"]["media"]),
        outputs_max=(count.most or 1) if count else 1,
        timeout_seconds=told.get("timeout_seconds", TIMEOUT_S),
        seconds_expected=told["seconds_expected"],
        aliases=told.get("aliases", {}),
        at_a_loss=told.get("at_a_loss", False),
        deprecated=told.get("deprecated", False),
        replacement=told.get("replacement"),
        low_factor_bp=told.get("low_factor_bp", BASIS_POINTS),
        inputs=inputs,
        measures=measures,
        rows=rows,
        asset=Asset.CREDIT if in_credits else Asset.USD,
        routes=(),
        costs=tuple(_cost_rows(each) for each in told["routes"]),
        templates={_name_of(each): Template.from_document(each) for each in told["routes"]},
        examples=tuple(told.get("examples", ())),
    )
    object.__setattr__(model, "routes", tuple(_routes(model)))
    return model


def kind_of(type_: str, media: Sequence[str]) -> Kind:
    """What a job of such a model makes."""
    family = type_.partition("_")[0]
    words = {"image": "picture", "video": "clip", "audio": "audio", "speech": "audio", "model3d": "model3d"}
    if family in words:
        return Kind(words[family])
    return Kind("json" if media[:1] == ("application/json",) else "text")


def _routes(model: Model) -> list[Route]:
    """With what an output that nobody asked more of costs there."""
    told = model.document["routes"]
    return [
        Route(
            provider=each["provider"],
            model=each.get("model", ""),
            cost_micros=None if rows is None else model.costs_of(rows, model.defaults, _TYPICAL).price_of(1),
        )
        for each, rows in zip(told, model.costs, strict=True)
    ]


def _name_of(told: Mapping[str, Any]) -> str:
    return Route(provider=told["provider"], model=told.get("model", "")).name


def _cost_rows(told: Mapping[str, Any]) -> tuple[Row, ...] | None:
    """None where nobody knows it."""
    return tuple(Row.from_document(each) for each in told["cost"]) if "cost" in told else None


def _least(own: Property) -> Any:
    """A value that a required parameter may have."""
    if own.default is not None:
        return own.default
    if own.values:
        return own.values[0]
    if own.kind in ("integer", "number"):
        return own.schema.get("minimum", 1)
    return ["x"] if own.kind == "array" else "x"
