"""Stability AI's REST API as far as Shoal speaks to it: https://platform.stability.ai/docs/api-reference.

A prompt with "forbidden" in it is refused, one with "blurred" is drawn and filtered: a 200 that a header
marks.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping

from tests.fakes.providers.checks import check_fields, decimal, digits, one_of, pictures, plain, text
from tests.fakes.providers.media import png
from tests.fakes.providers.server import Asked, FakeProvider, Malformed, Told, telling

SD3_MODELS = ("sd3.5-large", "sd3.5-large-turbo", "sd3.5-medium", "sd3.5-flash")
RATIOS = ("21:9", "16:9", "3:2", "5:4", "1:1", "4:5", "2:3", "9:16", "9:21")
NAMES = {400: "bad_request", 401: "unauthorized", 403: "content_moderation", 404: "not_found"}

_COMMON = {
    "negative_prompt": text(10_000),
    "seed": digits(0, 4_294_967_294),
    "output_format": one_of("png", "jpeg", "webp"),
}


def failing(status: int, name: str, *errors: str) -> Told:
    """An error in Stability's shape."""
    return telling({"id": "a1b2", "name": name, "errors": list(errors)}, status)


class FakeStability(FakeProvider):
    routes = (
        ("POST", "/v2beta/stable-image/generate/(core|ultra|sd3)", "generate"),
        ("POST", "/v2beta/stable-image/upscale/creative", "upscale"),
        ("POST", "/v2beta/stable-image/edit/inpaint", "inpaint"),
        ("GET", "/v2beta/results/([0-9a-f]{64})", "look"),
        ("GET", "/v1/user/balance", "balance"),
    )

    def __init__(self, *, key: str = "sk-stability") -> None:
        super().__init__(key=key)
        self.polls_needed = 1
        self.images_made = 0
        self.results: dict[str, tuple[int, str]] = {}

    @property
    def base_url(self) -> str:
        return f"{self.url}/v2beta"

    def allow(self, asked: Asked) -> Told | None:
        if asked.headers.get("authorization") == f"Bearer {self.key}":
            return None
        return failing(401, "unauthorized", "authorization: invalid or missing header value")

    def refuse(self, problem: Malformed) -> Told:
        return failing(problem.status, NAMES.get(problem.status, "bad_request"), str(problem))

    def balance(self, _: Asked) -> Told:
        return telling({"credits": 12.5})

    def generate(self, asked: Asked) -> Told:
        _check_accept(asked, "image/*")
        assert asked.matched
        model, parts = asked.matched[1], asked.form()
        fields = plain(parts)
        edited = pictures(parts, "image", 0 if model == "core" else 1)
        optional = _COMMON | {"aspect_ratio": one_of(*RATIOS)}
        if edited:
            optional = _COMMON | {"strength": decimal(0, 1)}
        if model == "core":
            optional = optional | {"style_preset": text(40)}
        if model == "sd3":
            mode = "image-to-image" if edited else "text-to-image"
            optional = optional | {"model": one_of(*SD3_MODELS), "mode": one_of(mode)}
            if edited and "strength" not in fields:
                raise Malformed("strength", "is required")
        check_fields(fields, {"prompt": text(10_000)}, optional)
        return self._drawn(fields["prompt"], fields.get("seed", "1"))

    def upscale(self, asked: Asked) -> Told:
        _check_accept(asked, "application/json")
        parts = asked.form()
        fields = plain(parts)
        check_fields(fields, {"prompt": text(10_000)}, _COMMON)
        if not pictures(parts, "image", 1):
            raise Malformed("image", "is required")
        ref = f"{len(self.results) + 1:064x}"
        self.results[ref] = (0, fields["prompt"])
        return telling({"id": ref})

    def inpaint(self, asked: Asked) -> Told:
        _check_accept(asked, "application/json")
        parts = asked.form()
        masks = [part for part in parts if part.name == "mask"]
        fields = plain(parts)
        check_fields(fields, {"prompt": text(10_000)}, _COMMON | {"grow_mask": digits(0, 100)})
        if len(pictures([part for part in parts if part not in masks], "image", 1)) != 1 or len(masks) > 1:
            raise Malformed("image", "is required")
        drawn = self._drawn(fields["prompt"], fields.get("seed", "1"))
        if drawn.status != 200:
            return drawn
        picture = base64.b64encode(drawn.body).decode()
        return telling({"image": picture, "seed": 1, "finish_reason": drawn.headers["finish-reason"]})

    def look(self, asked: Asked) -> Told:
        _check_accept(asked, "image/*")
        assert asked.matched
        ref = asked.matched[1]
        if ref not in self.results:
            return failing(404, "not_found", "id: the result is not found or has expired")
        looks, prompt = self.results[ref]
        self.results[ref] = (looks + 1, prompt)
        if looks + 1 < self.polls_needed:
            return telling({"id": ref, "status": "in-progress"}, 202)
        return self._drawn(prompt, "1")

    def _drawn(self, prompt: str, seed: str) -> Told:
        if "forbidden" in prompt:
            return failing(403, "content_moderation", "Your request was flagged by our moderation system.")
        self.images_made += 1
        reason = "CONTENT_FILTERED" if "blurred" in prompt else "SUCCESS"
        headers: Mapping[str, str] = {"finish-reason": reason, "seed": seed, "x-request-id": "1"}
        return Told(200, png(64, 64, self.images_made), {"Content-Type": "image/png", **headers})


def _check_accept(asked: Asked, *allowed: str) -> None:
    if asked.headers.get("accept") not in allowed:
        raise Malformed("accept", f"must be {' or '.join(allowed)}")
