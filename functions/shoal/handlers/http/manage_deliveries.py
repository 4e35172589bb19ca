"""/api/v1/webhooks/{id}/deliveries, …/test, …/recover, …/resend: what became of events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from shoal.composition.webhooks import manage_deliveries
from shoal.dialects import webhooks
from shoal.domain.errors import NotFound
from shoal.domain.idempotency import IdempotencyKey
from shoal.domain.ids import ulid_of
from shoal.domain.webhook import REQUESTED, webhook_ulid
from shoal.handlers.http.endpoint import Answer, Endpoint, Request
from shoal.use_cases.webhooks.manage_deliveries import ManageDeliveries
from shoal.use_cases.webhooks.manage_webhooks import Answered

MARGIN_S = 2
"""What is left of the Lambda's time for rendering and sending the answer."""


def manage(request: Request, use: ManageDeliveries) -> Answer:
    """200 with what is there, 202 for what is on its way."""
    return _BY_ROUTE[request.route](request, use, request.path_parameter("id"))


def _list(request: Request, use: ManageDeliveries, webhook_id: str) -> Answer:
    which, limit, cursor = webhooks.parse_deliveries_query(request.query)
    page = use.list(request.caller, webhook_id, which, limit=limit, cursor=cursor)
    return Answer(200, webhooks.delivery_list(page))


def _test(request: Request, use: ManageDeliveries, webhook_id: str) -> Answer:
    body = request.optional_json_object()
    event_type = webhooks.parse_test(body)
    wait_s = request.seconds_left - MARGIN_S
    key = _key(request, webhook_id, body)
    return _answer(use.test(request.caller, webhook_id, event_type, wait_s, key, webhooks.delivery_answer))


def _resend(request: Request, use: ManageDeliveries, webhook_id: str) -> Answer:
    delivery_id, key = request.path_parameter("delivery_id"), _key(request, webhook_id, {})
    return _answer(use.resend(request.caller, webhook_id, delivery_id, key, webhooks.delivery_answer))


def _recover(request: Request, use: ManageDeliveries, webhook_id: str) -> Answer:
    body = request.json_object()

    def since_ms() -> int:
        return webhooks.parse_recover(body, use.clock.now_ms())

    key = _key(request, webhook_id, body)
    return _answer(use.recover(request.caller, webhook_id, since_ms, key, webhooks.recover_resource))


def _key(request: Request, webhook_id: str, body: Mapping[str, Any]) -> IdempotencyKey | None:
    """Counts for this address. Raises `NotFound` where no id can be in it: a key of the table has an end."""
    if webhook_id != REQUESTED:
        webhook_ulid(webhook_id)
    delivery_id = request.path_parameter("delivery_id")
    if delivery_id and ulid_of("dlv", delivery_id) is None:
        raise NotFound("There is no delivery with this id.")
    route = request.route.replace("{id}", webhook_id).replace("{delivery_id}", delivery_id)
    return request.idempotency_key(request.caller, route, body)


def _answer(answered: Answered) -> Answer:
    return Answer(answered.status, answered.body, answered.headers)


_BY_ROUTE: dict[str, Callable[[Request, ManageDeliveries, str], Answer]] = {
    "GET /api/v1/webhooks/{id}/deliveries": _list,
    "POST /api/v1/webhooks/{id}/test": _test,
    "POST /api/v1/webhooks/{id}/deliveries/{delivery_id}/resend": _resend,
    "POST /api/v1/webhooks/{id}/recover": _recover,
}

handler = Endpoint(manage_deliveries, manage)
