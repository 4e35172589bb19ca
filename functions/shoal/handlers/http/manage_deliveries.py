"""/api/v1/webhooks/{id}/deliveries, …/test, …/recover, …/resend: what became of events."""

from __future__ import annotations

from collections.abc import Callable

from shoal.composition.webhooks import manage_deliveries
from shoal.dialects import webhooks
from shoal.domain.delivery import DeliveryStatus
from shoal.handlers.http.endpoint import Answer, Request, endpoint
from shoal.use_cases.webhooks.manage_deliveries import ManageDeliveries

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
    event_type = webhooks.parse_test(request.optional_json_object())
    wait_s = request.seconds_left - MARGIN_S
    delivery = use.test(request.caller, webhook_id, event_type, wait_s)
    status = 202 if delivery.status is DeliveryStatus.PENDING else 200
    return Answer(status, {"delivery": webhooks.delivery_resource(delivery)})


def _resend(request: Request, use: ManageDeliveries, webhook_id: str) -> Answer:
    delivery_id = request.path_parameter("delivery_id")
    delivery = use.resend(request.caller, webhook_id, delivery_id)
    return Answer(202, {"delivery": webhooks.delivery_resource(delivery)})


def _recover(request: Request, use: ManageDeliveries, webhook_id: str) -> Answer:
    since_ms = webhooks.parse_recover(request.json_object(), use.clock.now_ms())
    order = use.recover(request.caller, webhook_id, since_ms)
    return Answer(202, webhooks.recover_resource(order))


_BY_ROUTE: dict[str, Callable[[Request, ManageDeliveries, str], Answer]] = {
    "GET /api/v1/webhooks/{id}/deliveries": _list,
    "POST /api/v1/webhooks/{id}/test": _test,
    "POST /api/v1/webhooks/{id}/deliveries/{delivery_id}/resend": _resend,
    "POST /api/v1/webhooks/{id}/recover": _recover,
}

handler = endpoint(manage_deliveries, manage)
