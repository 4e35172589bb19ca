"""/dashboard/operate: the pages of the operators' group."""

from __future__ import annotations

from shoal.composition import dashboard
from shoal.composition.dashboard import ForOperators
from shoal.handlers.web.endpoint import WebEndpoint
from shoal.handlers.web.pages import operations
from shoal.handlers.web.visit import View

MEMBERS: dict[str, View[ForOperators]] = {
    "GET /operate": operations.show,
    "GET /operate/failed": operations.show_failed,
    "GET /operate/find": operations.find,
    "POST /operate/audit": operations.audit,
    "POST /operate/confirm": operations.confirm,
    "GET /operate/accounts/{id}": operations.show_account,
    "POST /operate/accounts/{id}/grant": operations.grant,
    "POST /operate/accounts/{id}/suspend": operations.suspend,
    "POST /operate/accounts/{id}/resume": operations.resume,
    "POST /operate/accounts/{id}/lift-brake": operations.lift_brake,
    "GET /operate/accounts/{id}/jobs/{job_id}": operations.show_job,
    "POST /operate/accounts/{id}/jobs/{job_id}/refund": operations.refund,
}

handler = WebEndpoint(dashboard.operate, MEMBERS, operators=True)
