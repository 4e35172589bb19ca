"""The tools for agents: what each is for, and what it takes. No protocol, no AWS, no money moves here."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shoal.dialects.errors import validation_error
from shoal.dialects.image import GenerateRequest
from shoal.dialects.video import VideoRequest

QUOTE, GENERATE_IMAGE, CREATE_VIDEO = "quote", "generate_image", "create_video"
GET_JOB, GET_BALANCE, LIST_MODELS = "get_job", "get_balance", "list_models"
TOOLS = (QUOTE, GENERATE_IMAGE, CREATE_VIDEO, GET_JOB, GET_BALANCE, LIST_MODELS)
SPENDING = (GENERATE_IMAGE, CREATE_VIDEO)
INSTRUCTIONS = (
    "Ask for a quote first: nothing is spent without one. Show its price to the user, and when they agree"
    " call the quoted tool with the very same request and the quote_id. Then poll get_job until the job has"
    " ended. Repeating a call with the same quote_id is safe: it never spends twice."
)


class Arguments(BaseModel):
    """What a tool that spends nothing takes: nothing, if it is this."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)


class QuoteArguments(Arguments):
    tool: Literal["generate_image", "create_video"]
    request: Annotated[dict[str, Any], Field(description="The arguments for that tool, without quote_id.")]


class JobArguments(Arguments):
    job_id: Annotated[str, Field(description="What generate_image or create_video answered.")]


Taken = TypeVar("Taken", bound=Arguments)


def parse(model: type[Taken], arguments: Mapping[str, Any]) -> Taken:
    """Raises `ValidationFailed` naming every wrong argument."""
    try:
        return model.model_validate(arguments)
    except ValidationError as error:
        raise validation_error(error) from None


@cache
def tools() -> tuple[dict[str, Any], ...]:
    """Every tool with the JSON Schema of its arguments, made from what parses a request of its kind."""
    quote_id = {"type": "string", "description": "The quote_id that quote gave for this very request."}
    return (
        _tool(
            QUOTE,
            "Price a request. Spends nothing; the quote_id it gives is good for ten minutes and one job.",
            QuoteArguments.model_json_schema(),
        ),
        _tool(
            GENERATE_IMAGE,
            "Make images: give mode, or model with what list_models says it takes. Spends the quoted price.",
            _object({**_image_fields(), "quote_id": quote_id}, required=["prompt", "quote_id"]),
            spends=True,
        ),
        _tool(
            CREATE_VIDEO,
            "Make a narrated video of 8 seconds a scene from an idea. Spends the quoted credits.",
            _object(
                {**_fields(VideoRequest), "quote_id": quote_id},
                required=["idea", "category", "duration", "aspect_ratio", "quote_id"],
            ),
            spends=True,
        ),
        _tool(GET_JOB, "How a job is doing, and where its outputs are.", JobArguments.model_json_schema()),
        _tool(
            GET_BALANCE,
            "What the account has left, in dollars and in credits.",
            Arguments.model_json_schema(),
        ),
        _tool(
            LIST_MODELS,
            "Models, modes and videos with their parameters and prices.",
            Arguments.model_json_schema(),
        ),
    )


def _tool(name: str, description: str, schema: Mapping[str, Any], *, spends: bool = False) -> dict[str, Any]:
    return {
        "name": name,
        "description": description,
        "inputSchema": schema,
        "annotations": {
            "readOnlyHint": not spends,
            "destructiveHint": False,
            "idempotentHint": name != QUOTE,
            "openWorldHint": spends,
        },
    }


def _object(properties: Mapping[str, Any], *, required: list[str]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required}


def _fields(model: type[GenerateRequest] | type[VideoRequest]) -> dict[str, Any]:
    properties: dict[str, Any] = model.model_json_schema()["properties"]
    return properties


def _image_fields() -> dict[str, Any]:
    return {
        **_fields(GenerateRequest),
        "model": {"type": "string", "description": "A model of list_models, instead of mode."},
        "num_outputs": {"type": "integer", "minimum": 1, "maximum": 4, "description": "With model only."},
    }
