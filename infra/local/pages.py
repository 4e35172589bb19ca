"""What a server on the loopback interface must not answer, as any page in a browser here can ask it.

No other name than this machine's can be pointed here (DNS rebinding), and no request of another site's page
is served.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import urlsplit

from hypercorn.typing import ASGISendCallable, HTTPScope

READS = frozenset({"GET", "HEAD"})
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
OWN_SITES = (None, "same-origin", "none")  # Sec-Fetch-Site: programs send none, a typed address sends `none`


def of_this_machine(headers: Mapping[str, str]) -> bool:
    """Whether the request was sent to a name that always leads here."""
    try:
        name = urlsplit(f"//{headers.get('host', '')}").hostname or ""
    except ValueError:
        return False
    return name in LOOPBACK or name.endswith(".localhost")


def of_own_page(method: str, headers: Mapping[str, str]) -> bool:
    """Whether no other site's page sent the request.

    A link on another site may lead to a page here; what that page then does, it does as our own.
    """
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    followed = method in READS and headers.get("sec-fetch-mode") == "navigate"
    return origin in (None, f"http://{headers.get('host')}") and (site in OWN_SITES or followed)


def headers_of(scope: HTTPScope) -> dict[str, str]:
    """The request's fields, by lower-case name."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("utf-8", "surrogateescape")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


async def refuse(send: ASGISendCallable, problem: str) -> None:
    """Answer 403 with the reason."""
    content = json.dumps({"message": problem}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(content))]
    await send({"type": "http.response.start", "status": HTTPStatus.FORBIDDEN, "headers": headers})
    await send({"type": "http.response.body", "body": content, "more_body": False})
