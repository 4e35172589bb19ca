"""A request as a job's item keeps it: one flat document of the caller's words and of what the brief adds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from typing import Any

from shoal.domain.brief import Brief, Kind, VideoBrief
from shoal.domain.submission import Submission
from shoal.domain.text import json_text

TYPES = {Kind.CLIP: "video_generate", Kind.VIDEO: "video_generate"} | {
    kind: str(kind) for kind in (Kind.AUDIO, Kind.MODEL3D, Kind.JSON, Kind.TEXT)
}
"""The `type` that tells a kind; that of pictures is not told."""
KINDS = {told: kind for kind, told in TYPES.items() if kind is not Kind.VIDEO}
OWN = frozenset({"kind", "model", "video"})
"""Fields of a brief that stand in no request: `type` and `clip_model` tell them."""
ADDED = frozenset(
    {"type", "width_px", "height_px", "clip_model", "input_keys", "fields", "media_types", "task"}
)
"""What stands in a request and is no word of the caller's."""
BESIDE = "beside"
"""Fields of the brief that the caller called something else, if there are any: no words either."""


def request_text(submission: Submission) -> str:
    """JSON keeps the caller's numbers as they came: DynamoDB has no floats."""
    words, told = submission.words, _told(submission.brief)
    beside = [name for name in told if name not in words and name not in ADDED]
    return json_text(
        {**words, "metadata": submission.metadata, **told, **({BESIDE: beside} if beside else {})}
    )


def words_of(request: Mapping[str, Any]) -> dict[str, Any]:
    without = {*ADDED, "metadata", BESIDE, *request.get(BESIDE, ())}
    return {name: value for name, value in request.items() if name not in without}


def brief_of(request: Mapping[str, Any], model: str) -> Brief:
    """`model` is the job's: the outputs of a video are made by another."""
    if "clip_model" in request:
        video = VideoBrief(**_known(VideoBrief, request))
        known = _known(Brief, {**request, "prompt": request["idea"]})
        return Brief(kind=Kind.VIDEO, model=request["clip_model"], video=video, **known)
    kind = KINDS.get(str(request.get("type")), Kind.PICTURE)
    return Brief(kind=kind, model=model, **_known(Brief, request))


def _told(brief: Brief) -> dict[str, Any]:
    told = _stored(brief) | ({"type": TYPES[brief.kind]} if brief.kind in TYPES else {})
    if brief.video is None:
        return told
    return {"idea": told.pop("prompt"), "clip_model": brief.model, **told, **_stored(brief.video)}


def _stored(brief: Brief | VideoBrief) -> dict[str, Any]:
    """Its fields, but for those that are what they are by default."""
    told = [(each, getattr(brief, each.name)) for each in fields(brief) if each.name not in OWN]
    return {each.name: value for each, value in told if value != _default(each)}


def _default(of: Field[Any]) -> Any:
    return of.default if of.default_factory is MISSING else of.default_factory()


def _known(of: type[Brief | VideoBrief], request: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that a request tells. JSON has no tuples."""
    names = [each.name for each in fields(of) if each.name in request and each.name not in OWN]
    return {name: tuple(value) if isinstance(value := request[name], list) else value for name in names}
