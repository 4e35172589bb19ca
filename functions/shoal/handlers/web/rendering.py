"""Pages from templates. Whatever is not marked as HTML is escaped; no page has inline script or style."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from shoal.domain.events import iso_ms
from shoal.domain.money import Asset, format_amount
from shoal.handlers.web import assets
from shoal.handlers.web.visit import FORM_COOKIE, ROOT, Page, Visit, cookie, known_theme

TEMPLATES = Path(__file__).parent / "templates"
GZIP_BYTES_MIN = 1_400
"""What fits into one packet is not worth the trouble."""
FORM_COOKIE_S = 3600


@cache
def environment() -> Environment:
    found = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.globals |= {"root": ROOT, "address_of": assets.address}
    found.filters |= {
        "money": money,
        "amount": format_amount,
        "when": when,
        "clock": clock_time,
        "iso": iso_ms,
        "duration": duration,
        "short": short,
    }
    return found


def page(visit: Visit[object], template: str, *, status: int = 200, **context: Any) -> Page:
    """A page, or a piece of one, for this visit. `context` is what its template names."""
    body = render(visit, template, **context)
    cookies = () if visit.signed_in else (cookie(FORM_COOKIE, visit.csrf, FORM_COOKIE_S),)
    return _compress(visit, Page(status, body, cookies=cookies))


def render(visit: Visit[object], template: str, **context: Any) -> str:
    common = {
        "visit": visit,
        "theme": known_theme(visit),
        "path": visit.request.path.removeprefix(ROOT),
        "error": "",
        "notice": "",
    }
    return environment().get_template(template).render(common | context)


def _compress(visit: Visit[object], shown: Page) -> Page:
    """API Gateway does not compress.

    BREACH, which guesses secrets by the sizes of answers, needs requests from another site to come with the
    session: its cookie is `SameSite`, and only links that are followed bring it along.
    """
    body = shown.body.encode() if isinstance(shown.body, str) else shown.body
    if len(body) < GZIP_BYTES_MIN or "gzip" not in visit.request.headers.get("accept-encoding", ""):
        return shown
    headers = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
    return Page(shown.status, gzip.compress(body, 6, mtime=0), headers, shown.cookies, shown.leads_to)


def policy(media_origins: tuple[str, ...], leads_to: tuple[str, ...]) -> str:
    """The Content-Security-Policy: our own script and style, outputs from where they are, no more."""
    targets = " ".join(("'self'", *leads_to))
    media = " ".join(("'self'", *media_origins))
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            f"img-src {media}",
            f"media-src {media}",
            "connect-src 'self'",
            f"form-action {targets}",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


def money(micros: int) -> str:
    """Micro-dollars for a heading: `$1,234.50`, with as many decimals as the amount needs."""
    text = format_amount(Asset.USD, abs(micros)).removeprefix("$")
    whole, _, decimals = text.partition(".")
    return f"{'−' if micros < 0 else ''}${int(whole):,}.{decimals}"


def when(at_ms: int) -> str:
    """A moment for people, in UTC: `22 Nov 2026, 12:03`."""
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%-d %b %Y, %H:%M}"


def clock_time(at_ms: int) -> str:
    """The time of day to the second, in UTC: `12:03:44`."""
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%H:%M:%S}"


def duration(ms: int) -> str:
    """`850 ms`, `4.2 s`, `3 min 5 s`."""
    if ms < 1_000:
        return f"{ms} ms"
    if ms < 60_000:
        return f"{ms / 1000:.1f} s"
    minutes, seconds = divmod(ms // 1000, 60)
    return f"{minutes} min {seconds} s"


def short(text: str, length: int = 80) -> str:
    """The beginning of a text, whole words if it can be."""
    return text if len(text) <= length else text[: length - 1].rsplit(" ", 1)[0].rstrip() + "…"
