"""GET /v1/models, GET /v1/models/{id+}: the catalog."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shoal.composition import jobs as bootstrap
from shoal.dialects import tasks
from shoal.dialects.errors import tasks_error
from shoal.domain.api_key import Scope
from shoal.domain.catalog import load_catalog
from shoal.handlers.http.endpoint import Answer, Request, endpoint
from shoal.settings import ReadModelsSettings


def read(request: Request) -> Answer:
    """200 with every model, or with one; 404 with the nearest names."""
    settings = bootstrap.settings_of(ReadModelsSettings)
    look = bootstrap.board(settings)
    look.read_ahead()  # while the key is looked up
    request.authenticate(bootstrap.authenticate(settings.table), Scope.READ)
    catalog, board, now_ms = load_catalog(), look(), bootstrap.clock.now_ms()

    def shown(model: str) -> Mapping[str, Any]:
        return tasks.model_resource(model, catalog, available=board.offers(catalog.routes(model), now_ms))

    name = request.path_parameter("id")
    if name:
        return Answer(200, tasks.envelope(shown(name)))
    return Answer(200, tasks.envelope([shown(each) for each in catalog.models]))


handler = endpoint(read, tasks_error)
