"""What each dialect says instead of an answer; the codes and details are those of an operation's errors."""

from __future__ import annotations

from typing import Any, NotRequired

from typing_extensions import TypedDict

from shoal.dialects.answers.common import Url


class ErrorFields(TypedDict):
    code: str
    message: str
    status: int
    details: NotRequired[dict[str, Any]]


class DetailedFields(TypedDict):
    code: str
    message: str
    status: int
    details: dict[str, Any]


class NeutralError(TypedDict):
    data: None
    error: ErrorFields


class ImageError(TypedDict):
    error: ErrorFields


class TasksError(TypedDict):
    data: None
    error: DetailedFields


class VideoError(TypedDict):
    code: str
    message: str
    docs_url: Url
    details: dict[str, Any]
