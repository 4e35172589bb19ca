"""Where callers fetch what is stored: pictures at the CDN for ever, videos at an address that expires."""

from __future__ import annotations

from collections.abc import Callable

from shoal.domain.events import output_url
from shoal.domain.video import FOLDER


class OutputUrls:
    """An `UrlOf`. `sign` makes the address of a private file."""

    def __init__(self, public_url: str, sign: Callable[[str], str]) -> None:
        self._public_url, self._sign = public_url, sign

    def __call__(self, key: str) -> str:
        return self._sign(key) if key.startswith(FOLDER) else output_url(key, self._public_url)
