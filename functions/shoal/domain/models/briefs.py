"""What the engine needs of a request for a model, and the request's parameters back again."""

from __future__ import annotations

from typing import Any

from shoal.domain.brief import Brief
from shoal.domain.models.inputs import Values, whole_of
from shoal.domain.models.model import USUAL_TYPES, Model
from shoal.domain.models.roles import Role

_IN_BRIEF: dict[Role, str] = {
    Role.PROMPT: "prompt",
    Role.NEGATIVE_PROMPT: "negative_prompt",
    Role.ASPECT_RATIO: "aspect_ratio",
    Role.SEED: "seed",
}
"""Roles that a brief has a field of its own for."""


def brief_of(model: Model, values: Values) -> Brief:
    """The brief of parameters that were checked and filled.

    `fields` are those that it has no other place for, without files, which are staged, and the count.
    """
    roles = {own.role: values.get(name) for name, own in model.inputs.properties.items()}
    width_px, height_px = model.size_px(values)
    return Brief(
        kind=model.kind,
        model=model.id,
        prompt=roles.get(Role.PROMPT) or roles.get(Role.TEXT) or "",
        aspect_ratio=roles.get(Role.ASPECT_RATIO) or "",
        width_px=width_px,
        height_px=height_px,
        seed=roles.get(Role.SEED),
        negative_prompt=roles.get(Role.NEGATIVE_PROMPT),
        fields={name: value for name, value in values.items() if _is_field(model, name)},
        media_types=() if model.media == model.kind.media_types else model.media,
        task="" if model.type == USUAL_TYPES[model.kind] else model.type,
        seconds=whole_of(roles.get(Role.SECONDS)),
    )


def values_of(model: Model, brief: Brief) -> dict[str, Any]:
    """The parameters of a brief, without files and the count: what a route's template speaks of."""
    own = {
        name: getattr(brief, _IN_BRIEF[each.role])
        for name, each in model.inputs.properties.items()
        if each.role in _IN_BRIEF
    }
    return model.inputs.filled({**own, **brief.fields})


def given(model: Model, brief: Brief) -> dict[str, Any]:
    """The parameters of a brief, files too, told by their keys: for what depends on which are there."""
    own = model.inputs.of_role(Role.IMAGE)
    files = {own.name: brief.input_keys} if own and brief.input_keys else {}
    return {**values_of(model, brief), **files}


def _is_field(model: Model, name: str) -> bool:
    own = model.inputs.properties.get(name)
    return own is not None and not (
        own.role in _IN_BRIEF or own.role is Role.COUNT or (own.role is not None and own.role.is_file)
    )
