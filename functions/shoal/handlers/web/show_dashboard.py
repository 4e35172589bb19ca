"""/dashboard: the pages for people, and the files they load."""

from __future__ import annotations

from shoal.composition import dashboard
from shoal.composition.dashboard import ForMembers
from shoal.handlers.web import assets
from shoal.handlers.web.endpoint import WebEndpoint
from shoal.handlers.web.pages import (
    jobs,
    keys,
    overview,
    playground,
    security,
    sign_in,
    usage,
    wallet,
    webhooks,
)
from shoal.handlers.web.visit import View

GUESTS: dict[str, View[ForMembers]] = {
    "GET /assets/{name}": assets.serve,
    "GET /sign-in": sign_in.show_sign_in,
    "POST /sign-in": sign_in.sign_in,
    "POST /sign-in/code": sign_in.answer,
    "GET /sign-up": sign_in.show_sign_up,
    "POST /sign-up": sign_in.sign_up,
    "GET /confirm": sign_in.show_confirm,
    "POST /confirm": sign_in.confirm,
    "GET /forgot": sign_in.show_forgot,
    "POST /forgot": sign_in.forgot,
    "GET /reset": sign_in.show_reset,
    "POST /reset": sign_in.reset,
}
MEMBERS: dict[str, View[ForMembers]] = {
    "GET /": overview.show,
    "GET /live": overview.show_live,
    "POST /sign-out": sign_in.sign_out,
    "POST /mode": sign_in.switch_mode,
    "POST /theme": sign_in.choose_theme,
    "GET /security": security.show,
    "POST /security/begin": security.begin,
    "GET /security/begin": security.show,  # where a page that was loaded again leads
    "POST /security/confirm": security.confirm,
    "GET /security/confirm": security.show,
    "POST /security/remove": security.remove,
    "GET /security/remove": security.show,
    "GET /keys": keys.show,
    "POST /keys": keys.create,
    "POST /keys/{id}/revoke": keys.revoke,
    "GET /wallet": wallet.show,
    "GET /usage": usage.show,
    "GET /usage.csv": usage.show_csv,
    "GET /jobs": jobs.show,
    "GET /jobs/{id}": jobs.show_one,
    "GET /jobs/{id}/live": jobs.show_live,
    "GET /jobs/{id}/card": jobs.show_card,
    "POST /jobs/{id}/cancel": jobs.cancel,
    "POST /jobs/{id}/retry": jobs.retry,
    "GET /videos": jobs.show_videos,
    "GET /webhooks": webhooks.show,
    "POST /webhooks": webhooks.create,
    "GET /webhooks/{id}": webhooks.show_one,
    "GET /webhooks/{id}/deliveries": webhooks.show_deliveries,
    "POST /webhooks/{id}/rotate": webhooks.rotate,
    "GET /webhooks/{id}/rotate": webhooks.show_one,  # where the page with the new secret is come back to
    "POST /webhooks/{id}/test": webhooks.test,
    "POST /webhooks/{id}/switch": webhooks.switch,
    "POST /webhooks/{id}/delete": webhooks.delete,
    "POST /webhooks/{id}/deliveries/{delivery_id}/resend": webhooks.resend,
    "GET /playground": playground.show,
    "POST /playground/quote": playground.quote,
    "POST /playground/run": playground.run,
}

handler = WebEndpoint(dashboard.show_dashboard, MEMBERS, guests=GUESTS)
