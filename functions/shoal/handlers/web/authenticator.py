"""What an authenticator app is set up with: an address for it, and that address as a picture."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit

import segno

from shoal.handlers.web.visit import Visit

ISSUER = "Shoal"
_SECRET = re.compile(r"[A-Z2-7]{16,128}")


@dataclass(frozen=True, slots=True)
class App:
    """`secret` in groups, to be typed; `qr` is an SVG of the address, to be scanned."""

    secret: str
    address: str
    qr: str


def app_of(visit: Visit[object], email: str, secret: str) -> App:
    """The address as "Key URI Format" of Google Authenticator's wiki has it; the host tells stages apart."""
    label = quote(f"{ISSUER} {urlsplit(visit.site.api_url).netloc}:{email}", safe=":@")
    address = f"otpauth://totp/{label}?{urlencode({'secret': secret, 'issuer': ISSUER})}"
    drawn = segno.make(address, error="m", micro=False)
    qr = drawn.svg_inline(dark="#000", light="#fff", border=4, omitsize=True)
    groups = " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
    return App(groups, address, qr)


def sent_secret(visit: Visit[object]) -> str:
    """The secret in the form that showed it, empty for what can be none."""
    secret = visit.field("secret")
    return secret if _SECRET.fullmatch(secret) else ""
