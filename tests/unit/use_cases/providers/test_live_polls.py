"""A live poll goes on while test keys have pictures drawn: no simulated look stands before it anywhere."""

from __future__ import annotations

import heapq
import json
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, cast

from shoal.adapters.aws.sqs import SqsPollQueue
from shoal.domain.api_key import KeyPrefix
from shoal.domain.job import Job
from shoal.domain.provider import Pending
from shoal.domain.routing import Board
from shoal.use_cases.providers.poll_provider import PollProvider
from shoal.use_cases.providers.resolve_answer import ResolveAnswer
from tests.fakes import FakeProvider
from tests.fakes.routing import FakeBoard
from tests.support.api import LambdaContext
from tests.support.events import event
from tests.support.handlers import handler_of
from tests.worlds.world import World

LIVE, SIMULATED = "https://sqs.test/poll", "https://sqs.test/simulated-poll"
FUNCTIONS = {LIVE: "poll_provider", SIMULATED: "poll_simulated"}
REQUESTS, OUTPUTS, LIVE_LOOKS = 3, 4, 8
DRAWING_MS, LOOKING_MS = 4_000, 100
"""What a look takes that draws a large JPEG, and one that asks a provider."""


@dataclass
class Served:
    """A look: which function had it, whether it was simulated, and what it waited behind others."""

    function: str
    simulated: bool
    waited_ms: int


@dataclass
class Queues:
    """The poll queues, each with one function that takes what is due, one after the other."""

    world: World
    messages: dict[str, list[tuple[int, int, str]]] = field(default_factory=dict)
    free_at_ms: dict[str, int] = field(default_factory=dict)
    numbers: count[int] = field(default_factory=count)
    served: list[Served] = field(default_factory=list)

    def send_message(self, **sent: Any) -> None:
        due_ms = self.world.clock.ms + 1000 * sent["DelaySeconds"]
        heapq.heappush(
            self.messages.setdefault(sent["QueueUrl"], []), (due_ms, next(self.numbers), sent["MessageBody"])
        )

    def change_message_visibility(self, **hidden: Any) -> None:
        """Nobody dies here: a look that is under way is not handed out again."""

    def run(self, poll: PollProvider) -> None:
        """Until nothing is left to look at."""
        while any(self.messages.values()):
            _, url = min((self._begins_at(url), url) for url, waiting in self.messages.items() if waiting)
            begins_ms = self._begins_at(url)
            due_ms, _, body = heapq.heappop(self.messages[url])
            self.world.clock.ms = max(self.world.clock.ms, begins_ms)
            simulated = json.loads(body)["simulated"]
            self.free_at_ms[url] = begins_ms + (DRAWING_MS if simulated else LOOKING_MS)
            self.served.append(Served(FUNCTIONS[url], simulated, begins_ms - due_ms))
            received: dict[str, Any] = event("sqs_poll_queue")
            received["Records"] = [received["Records"][0] | {"body": body}]
            consumer: Any = handler_of(FUNCTIONS[url])
            handler = replace(consumer, build=lambda: poll)
            assert handler(received, LambdaContext(self.world.clock)) == {"batchItemFailures": []}

    def _begins_at(self, url: str) -> int:
        return max(self.messages[url][0][0], self.free_at_ms.get(url, 0))

    def waited_ms(self, *, simulated: bool) -> list[int]:
        return [each.waited_ms for each in self.served if each.simulated is simulated]


def served(simulated_url: str) -> Queues:
    """All looks of one live request and of three with a test key that began beside it."""
    world = World()
    world.board = FakeBoard(Board(keyed=frozenset({"gemini"}), simulator_allowed=True))
    world.moderate_with(None)
    gemini = FakeProvider(world.network, script=[Pending("ref-live", 1)] * LIVE_LOOKS, port="gemini")
    world.providers.providers["gemini"] = gemini
    world.provider.script = [Pending("ref", 1)] * (2 * REQUESTS * OUTPUTS)
    queues = Queues(world)
    queue = SqsPollQueue(cast("Any", queues), LIVE, simulated_url)
    resolve = ResolveAnswer(world.ask_provider, world.tokens, queue)
    player, payer = world.customer(prefix=KeyPrefix.TEST), world.customer()
    played = [
        world.processing(player, model="nanobanana", num_outputs=OUTPUTS, prompt="[poll] A shark")
        for _ in range(REQUESTS)
    ]
    paid = world.processing(payer, model="nanobanana", prompt="A shark")
    assert (paid.simulated, {job.simulated for job in played}) == (False, {True})
    for job in (*played, paid):
        _begin(resolve, job)
    queues.run(PollProvider(world.jobs, world.providers, resolve))
    assert world.tokens.answers[world.now(paid).task_tokens[0]].error is None
    return queues


def _begin(resolve: ResolveAnswer, job: Job) -> None:
    for index in range(job.output_count):
        resolve(job, index)


def test_no_live_look_waits_behind_simulated_work() -> None:
    queues = served(SIMULATED)

    live, played = queues.waited_ms(simulated=False), queues.waited_ms(simulated=True)
    print(f"a live look waited {max(live)} ms at most, a simulated one {max(played)} ms")
    assert len(live) == LIVE_LOOKS
    assert len(played) >= REQUESTS * OUTPUTS
    assert {(each.function, each.simulated) for each in queues.served} == {
        ("poll_provider", False),
        ("poll_simulated", True),
    }
    assert set(live) == {0}
    assert max(played) > DRAWING_MS


def test_in_one_queue_it_would_wait() -> None:
    """What the test above holds is not so by itself."""
    assert max(served(LIVE).waited_ms(simulated=False)) > DRAWING_MS
