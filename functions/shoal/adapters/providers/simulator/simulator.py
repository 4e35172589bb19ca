"""The embedded provider: makes real files of every type, and misbehaves on request to show every path.

Markers in the prompt: `[fail]` (each fails one output), `[nsfw]` (refused, terminal), `[timeout]` (never
answers), `[slow:SECONDS]`, `[busy:SECONDS]` (asks to come back until then), `[poll]` and `[callback]` (how
the answer comes; at once unless told), `[billed]` (what is pending is billed though it is called off, which
costs nothing otherwise), `[truncated]` and `[empty]` (what comes is unusable), `[shorter:SECONDS]` and
`[longer:SECONDS]` (than was asked), `[type:EXTENSION]` (a file of another type), `[more]` (a picture beside
each output). In the idea of a video a marker counts for every scene, or for one: `[fail:scene=2]`,
`[slow:3:scene=0]`; scenes count from 0, as `index` in the answers does. It keeps no state that an answer
depends on: its reference says when the output is due, and the request says what is in it.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from typing import Any

from shoal.domain import errors
from shoal.domain.clip import SCENE_SECONDS
from shoal.domain.models import media_types as media
from shoal.domain.provider import Answer, Done, Pending, ProviderOutput, ProviderRequest
from shoal.media.memory import Memory
from shoal.ports.system import Clock

POLL_SECONDS = 1
FALLBACK_POLL_SECONDS = 20
"""When a promised callback is given up waiting for."""

SEEDS = 2**32

KEPT_MAX, KEPT_BYTES_MAX = 64, 32 * 2**20
"""How many of its last pictures and clips a process keeps, and how much of them. One of 1k has 0.7 MB."""

_NEVER = "never"
_MARKER = re.compile(
    r"\[(fail|nsfw|timeout|poll|callback|billed|slow|busy|truncated|empty|shorter|longer|more)"
    r"(?::(\d{1,4}))?(?::scene=(\d{1,2}))?\]"
)
_TYPE_MARKER = re.compile(r"\[type:([a-z0-9]{3,4})\]")
_TYPES = {extension: content_type for content_type, extension in media.EXTENSIONS.items()}
_CLIP_SECONDS_MAX = 60
_EXTRA_PX = 256

_PENDING = frozenset({"timeout", "slow", "poll", "callback"})

Draw = Callable[..., bytes]
CallBack = Callable[[str, str], None]
Verify = Callable[[Mapping[str, str], bytes, int], str]


class Simulator:
    """Implements the `Provider` port. Asking again gives the same picture, drawn before or now.

    `draw` makes a picture, `edit` one from others, `film` a clip, `make` whatever else. `call_back` posts a
    signed callback (address, reference), as the real ones do from their side; `verify` checks one and returns
    its reference.
    """

    idempotent = True

    def __init__(
        self,
        *,
        clock: Clock,
        draw: Draw,
        edit: Draw,
        film: Draw,
        make: Draw,
        call_back: CallBack,
        verify: Verify,
    ) -> None:
        self._clock = clock
        self._draw = draw
        self._edit = edit
        self._film = film
        self._make_other = make
        self._call_back = call_back
        self._verify = verify
        self._works: Memory[bytes] = Memory(entries_max=KEPT_MAX, bytes_max=KEPT_BYTES_MAX, bytes_of=len)

    def start(self, request: ProviderRequest) -> Answer:
        markers = _markers(request)
        self._misbehave(markers, request)
        if "timeout" in markers:
            return Pending(_NEVER, POLL_SECONDS)
        if "slow" in markers:
            due_ms = self._clock.now_ms() + markers["slow"] * 1000
            return Pending(_ref(due_ms), max(POLL_SECONDS, markers["slow"]))
        if "poll" in markers:
            return Pending(_ref(self._clock.now_ms()), POLL_SECONDS)
        if "callback" in markers:
            ref = _ref(self._clock.now_ms())
            self._call_back(request.callback_url, ref)
            return Pending(ref, FALLBACK_POLL_SECONDS)
        return self._deliver(request)

    def check(self, ref: str, request: ProviderRequest) -> Answer:
        if ref == _NEVER:
            return Pending(ref, POLL_SECONDS)
        wait_ms = int(ref.removeprefix("sim_")) - self._clock.now_ms()
        return Pending(ref, -(-wait_ms // 1000)) if wait_ms > 0 else self._deliver(request)

    def parse_callback(self, headers: Mapping[str, str], body: bytes, now_ms: int) -> Answer:
        ref = self._verify(headers, body, now_ms)
        if not re.fullmatch(r"sim_\d{1,15}", ref):
            raise errors.CallbackRefused("the callback names no reference of ours")
        return Pending(ref, 0)

    def bills_called_off(self, request: ProviderRequest) -> bool:
        """What is made at once, and what is said to be billed; anything pending costs nothing."""
        markers = _markers(request)
        return "billed" in markers or not _PENDING & markers.keys()

    def cancel(self, ref: str) -> None:
        """There is nothing to stop: a picture is drawn only when it is fetched."""

    def _misbehave(self, markers: dict[str, int], request: ProviderRequest) -> None:
        if "nsfw" in markers:
            raise errors.ProviderRejected("The prompt was refused by content moderation.")
        if "fail" in markers:
            raise errors.ProviderFailed(f"The provider failed to generate the {request.brief.kind.noun}.")
        if "busy" in markers and self._clock.now_ms() < request.submitted_at_ms + markers["busy"] * 1000:
            raise errors.ProviderBusy("at capacity", retry_after_seconds=POLL_SECONDS)

    def _deliver(self, request: ProviderRequest) -> Done:
        markers = _markers(request)
        data = b"" if "empty" in markers else self._make(request, markers)
        told = data[: len(data) // 2] if "truncated" in markers else data
        extras = [self._recall(self._draw, **_asked(request, _EXTRA_PX))] if "more" in markers else []
        beside = tuple(ProviderOutput(file=io.BytesIO(extra)) for extra in extras)
        return Done(ProviderOutput(file=io.BytesIO(told), extras=beside))

    def _make(self, request: ProviderRequest, markers: dict[str, int]) -> bytes:
        content_type, asked, brief = _type(request), _asked(request), request.brief
        seconds = request.seconds
        if seconds is not None:
            seconds = max(1, seconds - markers.get("shorter", 0)) + markers.get("longer", 0)
        if media.family_of(content_type) == "video":
            of_webm = {"content_type": content_type} if content_type != media.MP4 else {}
            length = min(seconds or SCENE_SECONDS, _CLIP_SECONDS_MAX)
            return self._recall(self._film, seconds=length, **asked, **of_webm)
        if content_type == media.PNG and not brief.task and brief.width_px and brief.height_px:
            return (
                self._edit(pictures=request.inputs, **asked)
                if request.inputs
                else self._recall(self._draw, **asked)
            )
        other = {"content_type": content_type, "task": brief.task, "seconds": seconds, **asked}
        if request.inputs:
            return self._make_other(pictures_given=request.inputs, **other)
        return self._recall(self._make_other, **other)

    def _recall(self, make: Draw, **asked: object) -> bytes:
        """What was made of the same before, in this process."""
        return self._works.recall((make, *asked.values()), lambda: make(**asked))


def _ref(due_ms: int) -> str:
    return f"sim_{due_ms}"


def _asked(request: ProviderRequest, side_px: int = 0) -> dict[str, Any]:
    """What every file is made from; `side_px` for a square of its own size."""
    return {
        "prompt": request.brief.prompt,
        "seed": _seed(request),
        "width_px": side_px or request.brief.width_px,
        "height_px": side_px or request.brief.height_px,
    }


def _type(request: ProviderRequest) -> str:
    """The media type to make: the usual one of those that are allowed, unless a marker names another."""
    named = _TYPE_MARKER.search(f"{request.brief.prompt} {request.idea}")
    usual = request.brief.allowed[0]
    return _TYPES.get(named[1], usual) if named else usual


def _markers(request: ProviderRequest) -> dict[str, int]:
    """Those that count for this output, with their arguments."""
    text = f"{request.brief.prompt} {request.idea}"
    found = {
        name: int(argument or 0)
        for name, argument, scene in _MARKER.findall(text)
        if not scene or int(scene) == request.index
    }
    if not request.idea and request.index >= len(re.findall(r"\[fail\]", text)):
        found.pop("fail", None)
    return found


def _seed(request: ProviderRequest) -> int:
    """Another for each output of a job. Without one, prompt and size alone say what is in a picture."""
    return ((request.brief.seed or 0) + request.index) % SEEDS
