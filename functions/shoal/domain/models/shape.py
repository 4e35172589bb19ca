"""The shape of a model's file and of a price list's: which keys they have, and of what type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, StringConstraints, ValidationError

from shoal.domain.models.model import ModelType
from shoal.domain.models.problems import Problem, Problems
from shoal.domain.models.tariff import BASIS_POINTS, Unit

OUTPUTS_MAX = 4
TIMEOUT_S_MAX = 3_600
FACTOR_BP_MAX = 10 * BASIS_POINTS
_AMOUNT_MAX = 10**12
Words = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
Amount = Annotated[int, Field(ge=0, le=_AMOUNT_MAX)]
_MESSAGES = {
    "missing": "is missing",
    "extra_forbidden": "is not known here",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "string_type": "must be a text",
    "bool_type": "must be true or false",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "list_type": "must be a list",
}


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Outputs(_Table):
    media: list[str] = Field(min_length=1)
    max: int = Field(ge=1, le=OUTPUTS_MAX)


class RowShape(_Table):
    """`micros` and `credits` may be tables: rules tell what is in them."""

    per: Annotated[Unit, Field(strict=False)]
    micros: Any = None
    credits: Any = None
    round_up: PositiveInt | None = None
    included: PositiveInt | None = None
    minimum: Amount | None = None
    maximum: Amount | None = None


class OutputShape(_Table):
    path: str
    extra: bool = False
    as_: Literal["file", "json", "text"] = Field("file", alias="as")


class RouteShape(_Table):
    provider: Words
    model: str = ""
    when: dict[str, bool] = Field(default_factory=dict)
    input: dict[str, Any] | None = None
    outputs: list[OutputShape] = Field(default_factory=list)
    refused_when: str | None = None
    cost: list[RowShape] | None = Field(None, min_length=1)


class ModelShape(_Table):
    title: Words
    type: ModelType
    description: str = ""
    outputs: Outputs
    timeout_seconds: int = Field(1, ge=1, le=TIMEOUT_S_MAX)
    seconds_expected: PositiveInt
    aliases: dict[str, list[Words]] = Field(default_factory=dict)
    at_a_loss: bool = False
    deprecated: bool = False
    replacement: str | None = None
    low_factor_bp: int = Field(BASIS_POINTS, ge=1, le=BASIS_POINTS)
    input: dict[str, Any]
    sizes: dict[str, Any] = Field(default_factory=dict)
    refuse: list[dict[str, list[Any]]] = Field(default_factory=list)
    tariff: list[RowShape] = Field(min_length=1)
    routes: list[RouteShape] = Field(min_length=1)
    examples: list[dict[str, Any]] = Field(min_length=1)


class Listed(_Table):
    """What a price list says of a model or a type: a factor, or rows of its own."""

    factor_bp: int | None = Field(None, ge=1, le=FACTOR_BP_MAX)
    tariff: list[RowShape] | None = Field(None, min_length=1)


class PriceListShape(_Table):
    title: Words
    models: dict[str, Listed] = Field(default_factory=dict)
    types: dict[ModelType, Listed] = Field(default_factory=dict)


def check_shape(of: type[BaseModel], told: Mapping[str, Any]) -> Problems:
    """What has the wrong type, is missing or is not known."""
    try:
        of.model_validate(told)
    except ValidationError as error:
        yield from problems_of(error)


def problems_of(error: ValidationError) -> Problems:
    """What pydantic found, in plain words."""
    for found in error.errors(include_url=False, include_input=False):
        said = found["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
        yield Problem(tuple(found["loc"]), _MESSAGES.get(found["type"], said))
