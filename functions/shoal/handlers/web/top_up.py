"""/dashboard/top-up: where people buy balance and credits."""

from __future__ import annotations

from shoal.handlers.web.endpoint import web_endpoint
from shoal.handlers.web.pages import top_up
from shoal.handlers.web.visit import View

MEMBERS: dict[str, View] = {
    "GET /top-up": top_up.show,
    "POST /top-up": top_up.buy,
}

handler = web_endpoint(MEMBERS)
