"""GET /v1/models, GET /v1/models/{id+}: the catalog."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shoal.composition import jobs
from shoal.dialects import tasks
from shoal.handlers.http.endpoint import Answer, Endpoint, Request


def read(request: Request, use: jobs.ReadingModels) -> Answer:
    """200 with every model, or with one; 404 with the nearest names.

    308 for a slash too many, which API Gateway takes for a part of the model's name.
    """
    if request.path.endswith("/"):
        return Answer(308, None, {"Location": request.without_slash})
    catalog, board, now_ms = use.catalog(), use.board(), use.now_ms()

    def describe(model: str) -> Mapping[str, Any]:
        return tasks.model_resource(model, catalog, available=board.offers(catalog.routes(model), now_ms))

    name = request.path_parameter("id")
    if name:
        return Answer(200, tasks.envelope(describe(name)))
    return Answer(200, tasks.envelope([describe(each) for each in catalog.models]))


handler = Endpoint(jobs.reading_models, read, ahead=lambda _, use: use.read_ahead())
