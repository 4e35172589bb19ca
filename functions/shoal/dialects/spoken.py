"""What a spoken API is, and the table of all of them.

An API that is spoken is one object: a new one costs its module, its line in `APIS` and its rows in the table
of routes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from pydantic import BaseModel

    from shoal.domain.catalog import Catalog
    from shoal.domain.errors import ApiError
    from shoal.domain.events import UrlOf
    from shoal.domain.job import Job
    from shoal.domain.submission import Submission
    from shoal.ports.jobs import JobFilter, JobPage
    from shoal.ports.videos import Scenes

APIS = {
    "image": "image:API",
    "image-v1": "image:API_V1",
    "tasks": "tasks:API",
    "video": "video:API",
    "generate": "image:GENERATE",
    "quote": "tasks:QUOTE",
}
"""By name, the module and the attribute of each. The API that a job is stored with has the stored name."""

Resource = Mapping[str, Any]
Shape = Literal["image", "tasks", "video", "neutral"]
"""How errors look."""
ApiUrl = Callable[[], str]
"""The root of the API, found out only where an answer names it."""


@dataclass(frozen=True, slots=True)
class View:
    """What is shown of jobs beside themselves. `scenes` is asked only where there are any to show."""

    url_of: UrlOf
    now_ms: int
    scenes: Callable[[], Scenes]


@dataclass(frozen=True, slots=True)
class Csv:
    """A list as CSV: its columns, and the row of a job."""

    columns: Sequence[str]
    row: Callable[[Job], Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenApi:
    """How one API is spoken.

    `parse` and `parse_list` raise `ValidationFailed`, and `parse` also `NotFound`. `request_of` is the model
    that parses a body which asks for this model of the catalog. `wrap` puts a resource into an answer.
    `submit_waits`, `read_waits`: whether an answer waits for the job to end where `Prefer` says so.
    `shapes` are those its errors have; `reads_neutral`: whether its callers can read the neutral one too.
    `choose` finds the API that a body speaks, where the address leaves that open; it raises
    `ValidationFailed`.
    """

    render_error: Callable[[ApiError, ApiUrl], Resource]
    shapes: tuple[Shape, ...]
    request_of: Callable[[str, Catalog], type[BaseModel]]
    parse: Callable[[Mapping[str, Any], Catalog], Submission]
    accepted: Callable[[Job], Resource]
    resource: Callable[[Job, View], Resource]
    parse_list: Callable[[Mapping[str, str]], tuple[JobFilter, int, str | None]]
    listing: Callable[[JobPage, View], Resource]
    wrap: Callable[[Any], Resource] = lambda resource: resource
    csv: Csv | None = None
    submit_waits: bool = True
    read_waits: bool = False
    reads_neutral: bool = True
    choose: Callable[[Mapping[str, Any]], SpokenApi] | None = None

    def answer(self, job: Job, view: View) -> Resource:
        """A job as the answer that shows it."""
        return self.wrap(self.resource(job, view))

    def of(self, body: Mapping[str, Any]) -> SpokenApi:
        """The API that a body speaks. Raises `ValidationFailed` for one that speaks none."""
        return self.choose(body) if self.choose else self


@cache
def spoken(name: str) -> SpokenApi:
    """The API of a name, loaded when it is first asked for. Raises `KeyError` for an unknown name."""
    module, _, attribute = APIS[name].partition(":")
    found: SpokenApi = getattr(import_module(f"shoal.dialects.{module}"), attribute)
    return found
