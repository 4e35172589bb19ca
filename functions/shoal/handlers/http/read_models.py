"""GET /v1/models, GET /v1/models/{id}: the catalog."""

from __future__ import annotations

from shoal import bootstrap
from shoal.dialects import tasks
from shoal.dialects.errors import tasks_error
from shoal.domain.api_key import Scope
from shoal.domain.catalog import load_catalog
from shoal.handlers.http.endpoint import Answer, Request, endpoint
from shoal.settings import ReadModelsSettings


def read(request: Request) -> Answer:
    """200 with every model, or with one; 404 with the nearest names."""
    table = bootstrap.settings_of(ReadModelsSettings).table
    request.authenticate(bootstrap.authenticate(table), Scope.READ)
    catalog, available = load_catalog(), bootstrap.available_providers()
    name = request.path_parameter("id")
    if name:
        return Answer(200, tasks.envelope(tasks.model_resource(name, catalog, available)))
    models = [tasks.model_resource(each, catalog, available) for each in catalog.models]
    return Answer(200, tasks.envelope(models))


handler = endpoint(read, tasks_error)
