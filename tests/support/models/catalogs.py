"""Catalogs and models as their files say them, as small as they can be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shoal.dialects.parameters import refusals
from shoal.domain.models.model import Model, model_of
from shoal.domain.models.problems import field_text
from shoal.domain.models.rules import check_catalog

PROVIDERS = frozenset({"simulator", "fal", "p0", "p1", "p2"})
PROMPT = {"type": "string", "minLength": 1, "maxLength": 100, "role": "prompt"}


def a_catalog(**changes: Any) -> dict[str, Any]:
    return {
        "price_version": "1",
        "default_mode": "2k",
        "low_balance": {"micros": 1, "credits": 1},
        "top_up": a_top_up(),
        "models": {"m": a_model()},
        "modes": {"2k": a_mode()},
        "video": a_video(),
        "assistants": {},
    } | changes


def a_top_up(**changes: Any) -> dict[str, Any]:
    return {
        "min_cents": 1_000,
        "max_cents": 5_000,
        "amounts_cents": [1_000],
        "packs": [{"credits": 10, "price_cents": 1_000}],
    } | changes


def a_video(**changes: Any) -> dict[str, Any]:
    return {
        "price_credits": 1,
        "scenes_max": 15,
        "aspect_ratios": ["9:16"],
        "clip_model": "m",
        "script_routes": [{"provider": "embedded"}],
        "speech_routes": [{"provider": "embedded"}],
    } | changes


def a_model(parameters: Mapping[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """A model that takes a prompt and these `parameters`; a change to None takes a field away."""
    told = {
        "title": "M",
        "type": "image_generate",
        "outputs": {"media": ["image/png"], "max": 1},
        "seconds_expected": 5,
        "input": {"required": ["prompt"], "properties": {"prompt": PROMPT, **(parameters or {})}},
        "tariff": [{"per": "output", "micros": 10_000}],
        "routes": [{"provider": "simulator"}],
        "examples": [{"prompt": "A shark"}],
    } | changes
    return {name: value for name, value in told.items() if value is not None}


def a_mode(**changes: Any) -> dict[str, Any]:
    return {"model": "m", "long_side_px": 2048, "price_micros": 20_000} | changes


def built(parameters: Mapping[str, Any] | None = None, **changes: Any) -> Model:
    """The model `m`."""
    return model_of("m", a_model(parameters, **changes))


def wrong_in(document: Mapping[str, Any]) -> dict[str, str]:
    """The reason of each refusal by its field; of two at one field, the first."""
    found: dict[str, str] = {}
    for problem in check_catalog(document, refusals, PROVIDERS):
        found.setdefault(field_text(problem.field), problem.reason)
    return found


def wrong_in_model(parameters: Mapping[str, Any] | None = None, **changes: Any) -> dict[str, str]:
    """The same of a catalog with the model `m`; fields are those of its file."""
    found = wrong_in(a_catalog(models={"m": a_model(parameters, **changes)}))
    return {
        field.removeprefix("models.m.").removeprefix("models.m"): reason for field, reason in found.items()
    }
