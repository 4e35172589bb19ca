"""/api/v1/webhooks/{id}/deliveries, …/test, …/recover, …/resend: what became of events."""

from __future__ import annotations

from collections.abc import Callable

from shoal.composition import jobs as bootstrap
from shoal.composition import webhooks as bootstrap_webhooks
from shoal.dialects import webhooks
from shoal.dialects.errors import video_error
from shoal.domain.api_key import Caller, Scope
from shoal.domain.delivery import DeliveryStatus
from shoal.handlers.http.endpoint import Answer, Request, endpoint
from shoal.settings import ManageDeliveriesSettings

MARGIN_S = 2
"""What is left of the Lambda's time for rendering and sending the answer."""


def manage(request: Request) -> Answer:
    """200 with what is there, 202 for what is on its way."""
    settings = bootstrap.settings_of(ManageDeliveriesSettings)
    request.render_error = video_error(settings.api_url)
    caller = request.authenticate(bootstrap.authenticate(settings.table), Scope.WEBHOOKS)
    return _BY_ROUTE[request.route](request, caller, request.path_parameter("id"))


def _list(request: Request, caller: Caller, webhook_id: str) -> Answer:
    which, limit, cursor = webhooks.parse_deliveries_query(request.query)
    page = bootstrap_webhooks.manage_deliveries().list(caller, webhook_id, which, limit=limit, cursor=cursor)
    return Answer(200, webhooks.delivery_list(page))


def _test(request: Request, caller: Caller, webhook_id: str) -> Answer:
    event_type = webhooks.parse_test(request.optional_json_object())
    wait_s = request.seconds_left - MARGIN_S
    delivery = bootstrap_webhooks.manage_deliveries().test(caller, webhook_id, event_type, wait_s)
    status = 202 if delivery.status is DeliveryStatus.PENDING else 200
    return Answer(status, {"delivery": webhooks.delivery_resource(delivery)})


def _resend(request: Request, caller: Caller, webhook_id: str) -> Answer:
    delivery_id = request.path_parameter("delivery_id")
    delivery = bootstrap_webhooks.manage_deliveries().resend(caller, webhook_id, delivery_id)
    return Answer(202, {"delivery": webhooks.delivery_resource(delivery)})


def _recover(request: Request, caller: Caller, webhook_id: str) -> Answer:
    since_ms = webhooks.parse_recover(request.json_object(), bootstrap.clock.now_ms())
    order = bootstrap_webhooks.manage_deliveries().recover(caller, webhook_id, since_ms)
    return Answer(202, webhooks.recover_resource(order))


_BY_ROUTE: dict[str, Callable[[Request, Caller, str], Answer]] = {
    "GET /api/v1/webhooks/{id}/deliveries": _list,
    "POST /api/v1/webhooks/{id}/test": _test,
    "POST /api/v1/webhooks/{id}/deliveries/{delivery_id}/resend": _resend,
    "POST /api/v1/webhooks/{id}/recover": _recover,
}

handler = endpoint(manage)
