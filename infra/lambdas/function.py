"""What a Lambda of the stack is, as data: its code, its size, who calls it and what it may touch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel

from shoal import settings
from shoal.handlers.http.routes import ROUTES

from .grants import Grant

if TYPE_CHECKING:  # the CDK takes seconds to load, which what only looks at this data need not wait for
    from ..stage import Stage

Group = Literal["http", "web", "workflow", "consumers"]

HTTP_TIMEOUT_SECONDS = 15
"""Half of the 30 s after which the HTTP API gives up on a function."""
WAITING_TIMEOUT_SECONDS = 29
"""For functions that wait for a job to end when asked to: just below those 30 s."""
WAITING_MEMORY_MB = 256
"""For functions that ask a provider and wait for it: all they do meanwhile is paid by memory and time. A long
answer passes through their disk; `tests/integration/providers/test_memory.py` bounds what they hold of it."""
MEDIA_MEMORY_MB = 1769
"""The memory size at which Lambda gives a whole vCPU; pictures need one, and a sweep's threads."""
VIDEO_MEMORY_MB = 3008
"""Nearly two vCPUs, and the most that every account may use: encoding clips is what takes the time."""
VIDEO_DISK_MB = 4096
"""For the clips of the longest video, their narration and the file that is made of them."""
STITCH_TIMEOUT_SECONDS = 300
"""For making one file of the longest video."""
STRIPE_MEMORY_MB = 1024
"""Importing Stripe's package is most of what its functions do; half a vCPU more halves that."""


def route_key(route: str) -> str:
    """The key by which the HTTP API knows a route: `ANY /v1/jobs/{id}`, or the route itself.

    A path has one key as a rule: its function checks the method. Where methods lead to several functions, the
    one that reads gets `ANY`; API Gateway prefers a key with the method itself.
    """
    _, _, path = route.partition(" ")
    row = ROUTES[route]
    return f"ANY {path}" if path and ROUTES.get(f"GET {path}", row).verb == row.verb else route


HANDED_OVER_SECONDS = 5
"""What Lambda may take from a message's receipt to the function's start, and from its end to the deletion."""
TRIED_FOR_SECONDS = 1800
"""How long a message is tried again before it is a dead letter: longer than AWS throttles us, as a rule."""
ASK_TIMEOUT_SECONDS = 175
"""Beyond the longest wait for an answer, and within a provider's deadline."""


@dataclass(frozen=True, kw_only=True)
class Function:
    """One Lambda: handler `shoal.handlers.<group>.<verb>.handler`.

    `media`: the function draws or checks pictures and gets Pillow. `video`: it also makes or checks clips or
    sound and gets PyAV. `voice`: it speaks, and gets espeak-ng where the stage asks for it. `stripe`: it
    calls Stripe and gets its package. `web`: it makes pages, verifies tokens and gets what does both.
    `mcp`: it serves tools to agents and gets their protocol.
    `disk_mb` is the size of its /tmp. `simulates`: it does simulated work alone, and the stage bounds it.
    `loop_ends` says what ends the chain in which it calls itself, over a queue as a rule: without such a
    reason AWS ends it after about 16 rounds.
    """

    verb: str
    group: Group
    grants: tuple[Grant, ...] = ()
    memory_mb: int = 512
    timeout_seconds: int = HTTP_TIMEOUT_SECONDS
    media: bool = False
    video: bool = False
    voice: bool = False
    stripe: bool = False
    web: bool = False
    mcp: bool = False
    disk_mb: int = 512
    simulates: bool = False
    loop_ends: str = ""

    @property
    def hidden_seconds(self) -> int:
        """How long a message it was given is hidden: after that is done again what a killed one did not do.

        AWS asks for its timeout at least, and advises six times that, so that a batch whose invocations are
        throttled is not given up: `receives_max` allows for that instead.
        """
        return self.timeout_seconds + HANDED_OVER_SECONDS

    @property
    def receives_max(self) -> int:
        """How often it is given the same message before that is a dead letter."""
        return -(-TRIED_FOR_SECONDS // self.hidden_seconds)

    @property
    def handler(self) -> str:
        """Where Lambda finds the code."""
        return f"shoal.handlers.{self.group}.{self.verb}.handler"

    def name_on(self, stage: Stage) -> str:
        """Its name on a stage; fixed, so that what is made before the function may be told of it."""
        return f"{stage.prefix}-{self.verb.replace('_', '-')}"

    @property
    def routes(self) -> tuple[str, ...]:
        """Keys of the HTTP API that lead here."""
        return tuple(dict.fromkeys(route_key(row.name) for row in ROUTES.values() if row.verb == self.verb))

    @property
    def camel(self) -> str:
        """The verb as part of a class name and of logical ids: `SubmitJob`."""
        return "".join(word.capitalize() for word in self.verb.split("_"))

    @property
    def settings(self) -> type[BaseModel]:
        """The model by which the code reads its environment."""
        model: type[BaseModel] = getattr(settings, f"{self.camel}Settings")
        return model
