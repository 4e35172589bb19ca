"""/api/v1/webhooks, /api/v1/webhooks/{id}, …/rotate: the subscriptions of an account."""

from __future__ import annotations

from collections.abc import Callable

from shoal.composition import jobs as bootstrap
from shoal.composition import webhooks as bootstrap_webhooks
from shoal.dialects import webhooks
from shoal.dialects.errors import video_error
from shoal.domain.api_key import Caller, Scope
from shoal.domain.webhook import webhook_ulid
from shoal.handlers.http.endpoint import Answer, Request, endpoint
from shoal.settings import ManageWebhooksSettings


def manage(request: Request) -> Answer:
    """201 and 200 with the secret when it is made, 200 without it otherwise, 204 for what was deleted."""
    settings = bootstrap.settings_of(ManageWebhooksSettings)
    request.render_error = video_error(settings.api_url)
    caller = request.authenticate(bootstrap.authenticate(settings.table), Scope.WEBHOOKS)
    return _BY_ROUTE[request.route](request, caller)


def _create(request: Request, caller: Caller) -> Answer:
    body = request.json_object()
    key = request.idempotency_key(caller, request.route, body)
    new = webhooks.parse_create(body)
    answered = bootstrap_webhooks.manage_webhooks().create(caller, new, key, webhooks.webhook)
    return Answer(answered.status, answered.body, answered.headers)


def _list(request: Request, caller: Caller) -> Answer:
    limit, cursor = webhooks.parse_list_query(request.query)
    return Answer(
        200, webhooks.webhook_list(bootstrap_webhooks.manage_webhooks().list(caller), limit, cursor)
    )


def _read(request: Request, caller: Caller) -> Answer:
    subscription = bootstrap_webhooks.manage_webhooks().read(caller, request.path_parameter("id"))
    return Answer(200, webhooks.webhook(subscription))


def _change(request: Request, caller: Caller) -> Answer:
    changes = webhooks.parse_change(request.json_object())
    subscription = bootstrap_webhooks.manage_webhooks().change(caller, request.path_parameter("id"), changes)
    return Answer(200, webhooks.webhook(subscription))


def _delete(request: Request, caller: Caller) -> Answer:
    bootstrap_webhooks.manage_webhooks().delete(caller, request.path_parameter("id"))
    return Answer(204, None)


def _rotate(request: Request, caller: Caller) -> Answer:
    webhook_id = request.path_parameter("id")
    webhook_ulid(webhook_id)  # or it is found nowhere: an address may be longer than a key of the table
    key = request.idempotency_key(caller, request.route.replace("{id}", webhook_id), {})
    answered = bootstrap_webhooks.manage_webhooks().rotate(caller, webhook_id, key, webhooks.webhook)
    return Answer(answered.status, answered.body, answered.headers)


_BY_ROUTE: dict[str, Callable[[Request, Caller], Answer]] = {
    "POST /api/v1/webhooks": _create,
    "GET /api/v1/webhooks": _list,
    "GET /api/v1/webhooks/{id}": _read,
    "PATCH /api/v1/webhooks/{id}": _change,
    "DELETE /api/v1/webhooks/{id}": _delete,
    "POST /api/v1/webhooks/{id}/rotate": _rotate,
}

handler = endpoint(manage)
