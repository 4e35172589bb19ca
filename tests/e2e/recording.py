"""Exchanges with the API, written down so that two recordings of the same story are equal."""

from __future__ import annotations

import re
from typing import Any

from infra.documents.openapi import ORIGIN
from shoal.domain.ids import derived_id
from tests.support.client import Json
from tests.support.deployed import Customer

HOOK = "https://hooks.example.com/shoal"
"""Stands for the address of the receiver on this machine."""
FILES = "https://files.example.com"
"""Stands for where videos lie, which is not where the API is."""
UPLOAD = r"https?://[^/ ]+/[^/ ]+/(files/[^? ]*)\?X-Amz[^ ]*"
SIGNED = r"https?://[^/ ]+/[^/ ]+/(videos/[^? ]*)\?X-Amz[^ ]*"
MARKED = r"(images/[^/ ]+/\d)-[A-Za-z0-9]{8}\."
"""A picture's address, with the mark that nobody can guess."""
MOMENT_MS = 1_778_236_200_000  # 2026-05-08T10:30:00Z, as in the published documents
ULID = r"[0-7][0-9A-HJKMNP-TV-Z]{25}"
SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
AT = {
    "started_at": "10:30:01",
    "completed_at": "10:30:12",
    "closed_at": "10:30:12",
    "at": "10:30:13",
    "expires_at": "10:45:00",
    "until": "10:31:00",
    "updated_at": "10:31:00",
}
"""The time of day of a moment by the field it stands in; 10:30:00 in any other."""
CANCELED = ("Canceled by request.", {"code": "canceled", "message": "Canceled by request."})
SCENES = [
    {
        "prompt": "Wide establishing shot of an old caravan road across the desert, at dusk: why the Persian "
        "Empire fell. Pixar-style animated explainer",
        "narration": "This is the story of why the Persian Empire fell. One small choice would change it "
        "all.",
    },
    {
        "prompt": "Slow closing shot of endless desert dunes, wind in the sand, in golden hours: why the "
        "Persian Empire fell. Pixar-style animated explainer",
        "narration": "And that is why the Persian Empire fell. Some say it still echoes today.",
    },
]
"""What a script may say."""
STILL = {"duration_ms": 41, "seconds_expected": 5}
"""Numbers that depend on the machine."""

STILL_TEXTS = {
    "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "last_four": "k3T9",
    "bucket": "shoal-dev-videos",
}
"""Texts that chance or the stage decides on, by their fields."""


class Recording:
    """`entries` are the examples of each route, in the form of infra/documents/examples.json."""

    def __init__(self, api_url: str, hook_url: str) -> None:
        self.entries: dict[str, list[Json]] = {}
        self._hosts = {hook_url: HOOK, api_url: ORIGIN}
        self._ids: dict[str, str] = {}

    def call(
        self,
        customer: Customer,
        route: str,
        name: str,
        body: Any = None,
        *,
        status: int = 200,
        headers: dict[str, str] | None = None,
        query: dict[str, str] | None = None,
        **path: str,
    ) -> Any:
        """Send a request and write it down with its answer, whose body is returned."""
        method, template = route.split(" ")
        answer = customer.client.request(
            method, template.format(**path), json=body, headers=headers, params=query
        )
        assert answer.status_code == status, answer.text
        self._note(route, name, status, answer.json(), body)
        return answer.json()

    def still(self, value: Json) -> Json:
        """What another telling of the same is equal to."""
        found: Json = self._still(value)
        return found

    def event(self, event: Json, name: str) -> None:
        """Write a delivery's body down."""
        self._note(f"webhook {event['type']}", name, 200, event)

    def _note(self, route: str, name: str, status: int, body: Any, request: Any = None) -> None:
        entry = {"name": name, "request": self._still(request), "status": status, "body": self._still(body)}
        self.entries.setdefault(route, []).append(entry)

    def _still(self, value: Any, field: str = "") -> Any:
        if isinstance(value, dict):
            # Whether what was canceled had started is chance, and so are the words of a script.
            chance: Json = (
                {"started_at": None} if "started_at" in value and value["error"] in CANCELED else {}
            )
            if "narration" in value:
                chance = SCENES[value["index"]]
            return {name: self._still(each, name) for name, each in (value | chance).items()}
        if isinstance(value, list):
            return [self._still(each, field) for each in value]
        if isinstance(value, str):
            return self._still_text(value, field)
        return value if value is None else STILL.get(field, value)

    def _still_text(self, text: str, field: str) -> str:
        if re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", text):
            fraction = ".000" if "." in text else ""
            return f"2026-05-08T{AT.get(field, '10:30:00')}{fraction}Z"
        if text.startswith("whsec_"):
            return SECRET
        if field in STILL_TEXTS:
            return STILL_TEXTS[field]
        for host, shown in self._hosts.items():
            text = text.replace(host, shown)
        text = re.sub(SIGNED, rf"{FILES}/\1?X-Amz-Signature=0b1f5c…", text)
        text = re.sub(UPLOAD, rf"{FILES}/\1?X-Amz-Signature=0b1f5c…", text)
        text = re.sub(MARKED, r"\1-k3T9vQ2x.", text)
        return re.sub(rf"(?:([a-z]+)_)?({ULID})", lambda found: self._id(found[1], found[2]), text)

    def _id(self, prefix: str | None, ulid: str) -> str:
        """The same id for the same one, numbered as they come."""
        known = self._ids.setdefault(
            ulid, derived_id("x", MOMENT_MS + len(self._ids), str(len(self._ids))).removeprefix("x_")
        )
        return f"{prefix}_{known}" if prefix else known
