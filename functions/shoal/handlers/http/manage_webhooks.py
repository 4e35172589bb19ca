"""/api/v1/webhooks, /api/v1/webhooks/{id}, …/rotate: the subscriptions of an account."""

from __future__ import annotations

from collections.abc import Callable

from shoal.composition.webhooks import manage_webhooks
from shoal.dialects import webhooks
from shoal.domain.webhook import webhook_ulid
from shoal.handlers.http.endpoint import Answer, Endpoint, Request
from shoal.use_cases.webhooks.manage_webhooks import ManageWebhooks


def manage(request: Request, use: ManageWebhooks) -> Answer:
    """201 and 200 with the secret when it is made, 200 without it otherwise, 204 for what was deleted."""
    return _BY_ROUTE[request.route](request, use)


def _create(request: Request, use: ManageWebhooks) -> Answer:
    body = request.json_object()
    key = request.idempotency_key(request.caller, request.caller.counts_in(request.route), body)
    answered = use.create(request.caller, lambda: webhooks.parse_create(body), key, webhooks.webhook)
    return Answer(answered.status, answered.body, answered.headers)


def _list(request: Request, use: ManageWebhooks) -> Answer:
    limit, cursor = webhooks.parse_list_query(request.query)
    return Answer(200, webhooks.webhook_list(use.list(request.caller), limit, cursor))


def _read(request: Request, use: ManageWebhooks) -> Answer:
    subscription = use.read(request.caller, request.path_parameter("id"))
    return Answer(200, webhooks.webhook(subscription))


def _change(request: Request, use: ManageWebhooks) -> Answer:
    changes = webhooks.parse_change(request.json_object())
    subscription = use.change(request.caller, request.path_parameter("id"), changes)
    return Answer(200, webhooks.webhook(subscription))


def _delete(request: Request, use: ManageWebhooks) -> Answer:
    use.delete(request.caller, request.path_parameter("id"))
    return Answer(204, None)


def _rotate(request: Request, use: ManageWebhooks) -> Answer:
    webhook_id = request.path_parameter("id")
    webhook_ulid(webhook_id)  # or it is found nowhere: an address may be longer than a key of the table
    route = request.caller.counts_in(request.route.replace("{id}", webhook_id))
    key = request.idempotency_key(request.caller, route, {})
    answered = use.rotate(request.caller, webhook_id, key, webhooks.webhook)
    return Answer(answered.status, answered.body, answered.headers)


_BY_ROUTE: dict[str, Callable[[Request, ManageWebhooks], Answer]] = {
    "POST /api/v1/webhooks": _create,
    "GET /api/v1/webhooks": _list,
    "GET /api/v1/webhooks/{id}": _read,
    "PATCH /api/v1/webhooks/{id}": _change,
    "DELETE /api/v1/webhooks/{id}": _delete,
    "POST /api/v1/webhooks/{id}/rotate": _rotate,
}

handler = Endpoint(manage_webhooks, manage)
