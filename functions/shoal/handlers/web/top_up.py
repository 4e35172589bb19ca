"""/dashboard/top-up: where people buy balance and credits."""

from __future__ import annotations

from shoal.composition import dashboard
from shoal.composition.dashboard import ForBuyers
from shoal.handlers.web.endpoint import WebEndpoint
from shoal.handlers.web.pages import top_up
from shoal.handlers.web.visit import View

MEMBERS: dict[str, View[ForBuyers]] = {
    "GET /top-up": top_up.show,
    "POST /top-up": top_up.buy,
}

handler = WebEndpoint(dashboard.top_up, MEMBERS)
