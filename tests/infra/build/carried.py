"""`python -m tests.infra.build.carried`: make what functions use, with nothing but the packages they carry.

Reads JSON from stdin: `absent`, the top-level modules that the functions lack; `environment`, theirs;
`verbs` with the handler of each. Prints each verb, and at the end the modules that were loaded; the traceback
is that of what could not be made.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import fields
from functools import partial
from importlib import import_module
from importlib.abc import MetaPathFinder
from inspect import isroutine, signature
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any


class Absent(MetaPathFinder):
    """Finds nothing of what is not carried, and says so as Python does."""

    def __init__(self, modules: Sequence[str]) -> None:
        self._modules = frozenset(modules)

    def find_spec(self, fullname: str, *_: object) -> None:
        if fullname.partition(".")[0] in self._modules:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)


def main() -> None:
    told = json.load(sys.stdin)
    sys.meta_path.insert(0, Absent(told["absent"]))
    os.environ.update(told["environment"])
    for verb, handler in told["verbs"].items():
        path, _, name = handler.rpartition(".")
        module = import_module(path)
        for step, function in getattr(module, "STEPS", {verb: getattr(module, name)}).items():
            _use(step, _made(function.build))
        print(verb)
    print("loaded:", *sys.modules)


def _made(build: Callable[[], Any]) -> Any:
    """What a function is given, after each part of it that is made late was made too."""
    use_cases = build()
    if type(use_cases).__module__.startswith("shoal.composition."):
        for part in fields(use_cases):
            late = getattr(use_cases, part.name)
            if isroutine(late) and not signature(late).parameters:
                late()
    return use_cases


def _use(verb: str, use_case: Any) -> None:
    """Make what the use case of a verb loads late."""
    if verb in ("call_provider", "poll_provider", "render_scene", "receive_callback"):
        _providers(use_case)
    if hasattr(use_case, "resolve") and use_case.resolve.simulates:
        _simulate()
    if verb == "store_output":
        _inspect(use_case)
    if verb in ("store_clip", "stitch_video"):
        _cut(use_case)
    if verb == "receive_callback":
        _check_signature()
    if verb in ("submit_job", "serve_mcp", "show_dashboard"):
        _submissions()
    if verb == "write_script":
        _writers(use_case)
    if verb == "narrate":
        _speakers(use_case)
    if verb in ("operate", "show_dashboard", "top_up"):
        _pages(use_case)


def _providers(use_case: Any) -> None:
    from shoal.composition import upstreams
    from shoal.domain.catalog import load_catalog
    from shoal.domain.provider import SIMULATOR, WORKER

    registry = use_case.resolve.ask.providers if hasattr(use_case, "resolve") else use_case.providers
    routed = {route.provider for model in load_catalog().models.values() for route in model.routes}
    routed |= {*upstreams.PROVIDERS, WORKER}
    for name in sorted({SIMULATOR, *routed}):
        registry.get(name)


def _simulate() -> tuple[bytes, bytes]:
    """A picture and a clip: the simulator loads late what draws and films."""
    from shoal.composition import upstreams as ups

    size = {"width_px": 64, "height_px": 64, "seed": 1}
    picture = ups.draw(prompt="reef", **size)
    ups.edit(prompt="reef", pictures=[picture], **size)
    for content_type in ("audio/mpeg", "model/gltf-binary", "image/webp"):
        ups.make(content_type=content_type, task="", prompt="reef", seconds=1, **size)
    return picture, ups.film(prompt="reef", seconds=1, **size)


def _inspect(use_case: Any) -> None:
    picture, clip = _simulate()
    use_case.inspect(picture, ["image/png"])
    use_case.inspect(clip, ["video/mp4"])


def _cut(use_case: Any) -> None:
    """The studio loads late what conforms clips and takes pictures out of them."""
    with TemporaryDirectory() as folder:
        clip, conformed = Path(folder, "clip.mp4"), Path(folder, "conformed.mp4")
        clip.write_bytes(_simulate()[1])
        asked = {"width_px": 64, "height_px": 64, "subtitle": "Reefs.", "language": "th"}
        use_case.studio.conform(clip, conformed, **asked)
        use_case.studio.poster(conformed, Path(folder, "poster.jpg"))


def _check_signature() -> None:
    """That of fal, of which only a well-formed one is looked at."""
    from shoal.adapters.providers.fal.signature import verify
    from shoal.domain.errors import CallbackRefused

    headers = {"request-id": "r", "user-id": "u", "timestamp": "1", "signature": "00" * 64}
    with suppress(CallbackRefused):
        verify([bytes(32)], {f"x-fal-webhook-{name}": text for name, text in headers.items()}, b"", 1_000)


def _submissions() -> None:
    from shoal.composition import providers
    from shoal.composition.parts import prepare_submission, settings_of
    from shoal.settings import SubmitJobSettings

    settings = settings_of(SubmitJobSettings)
    prepare_submission(settings)
    for kind in ("off", "keywords", "openai", "bedrock"):
        providers.moderate(settings.model_copy(update={"moderation": kind, "guardrail": "g:1"}))


def _writers(use_case: Any) -> None:
    """Each writer of the routes, and that within, which must write without asking anybody."""
    from shoal.domain.catalog import load_catalog
    from shoal.domain.routing import WITHIN

    for route in load_catalog().video.script_routes:
        use_case.writers.get(route)
    told = {"idea": "reefs at night", "category": "story", "style": None, "language": "en"}
    assert use_case.writers.get(WITHIN).write(**told, scene_count=3, seed=1)


def _speakers(use_case: Any) -> None:
    """Each speaker of the routes, and the simulator's, which must speak without asking anybody."""
    from shoal.domain.catalog import load_catalog
    from shoal.domain.provider import EMBEDDED
    from shoal.domain.routing import SIMULATED, WITHIN

    spoken = "Reefs glow at night."
    has_voice = use_case.speakers.has(EMBEDDED)
    for route in load_catalog().video.speech_routes:
        if route.provider != EMBEDDED:
            use_case.speakers.get(route)
    for route in (SIMULATED, *((WITHIN,) if has_voice else ())):
        speak = partial(use_case.speakers.get(route).speak, voice=None, language="en")
        with TemporaryDirectory() as folder:
            narration = use_case.studio.narrate([spoken], speak, Path(folder, "narration.wav"))
        assert narration.lines[0].end_s - narration.lines[0].start_s > 0.5
    print(f"speaks: {'espeak' if has_voice else 'tones'}")


def _pages(dashboard: Any) -> None:
    """What pages use is made when they first ask for it."""
    for part in (dashboard, dashboard.use):
        for member in fields(part):
            if str(member.type).startswith("Callable[[], "):
                getattr(part, member.name)()
    dashboard.sign_in().identity()


if __name__ == "__main__":
    main()
