"""Requests that make work: fetches, looks, held seconds, pages, POSTs to others."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import Any, cast

from shoal.adapters.aws.sqs import SqsPollQueue
from shoal.domain.api_key import KeyPrefix
from shoal.domain.errors import ApiError, RateLimited, Unauthorized
from shoal.domain.rate_limit import BURST, HELD_S_PER_MINUTE, Ask
from shoal.use_cases.accounts.limit_rates import (
    ACCOUNT,
    BLOCK,
    EMAIL_FORMS,
    OPEN,
    SESSION,
    SOURCE,
    SOURCE_FORMS,
)
from shoal.use_cases.jobs.prepare_submission import INPUT_BYTES_MAX
from tests.abuse.row import Row
from tests.fakes.limits import FETCHED_BYTES_MAX
from tests.support.api import Api
from tests.support.factories import a_job
from tests.worlds.machine import Stage
from tests.worlds.site import FRONT_TOKEN, Site
from tests.worlds.webhook_world import ACCOUNT as HOOKS_ACCOUNT
from tests.worlds.webhook_world import UNPAID_SENDS_MAX, WebhookWorld
from tests.worlds.world import Customer, World

TRIES = 200
"""Sent at one moment, of each kind."""
KEYS = 8
PICTURES = tuple(f"https://pictures.example.com/{n}.png" for n in range(4))
LOOKS_MAX = 100
FORMS_WORTH = FETCHED_BYTES_MAX / 1e6
VICTIM = "https://victim.example.com"
POLL = Ask(polls=True)
LIVE, SIMULATED = "https://sqs.test/live", "https://sqs.test/simulated"


class Messages:
    """Counts what is sent to each queue."""

    def __init__(self) -> None:
        self.queues: Counter[str] = Counter()

    def send_message(self, **message: Any) -> None:
        self.queues[message["QueueUrl"]] += 1


def fetches() -> list[Row]:
    """Requests that name pictures of ten megabytes: of who can't pay, and with one that is none."""
    world = World()
    poor, payer = world.customer(usd="0"), world.customer()
    world.caller_http.pages |= dict.fromkeys(PICTURES, b"\x89PNG\r\n\x1a\n".ljust(INPUT_BYTES_MAX))
    unpaid = _fetched(world, poor, PICTURES)
    with_dead = _fetched(world, payer, (*PICTURES[:3], f"{VICTIM}/none.png"))
    return [
        Row("pictures of who can't pay", TRIES, "requests", unpaid, "MB fetched", 0),
        Row("pictures beside one that is none", 1, "minute", with_dead, "MB fetched", FORMS_WORTH),
    ]


def _fetched(world: World, customer: Customer, urls: tuple[str, ...]) -> float:
    """What was fetched, in megabytes, for requests of which none is accepted."""
    world.caller_http.fetched.clear()
    for _ in range(TRIES):
        with suppress(ApiError):
            world.submit_task(customer, input_image_urls=list(urls))
    pages = world.caller_http.pages
    sizes = [len(page) for url in world.caller_http.fetched if isinstance(page := pages.get(url), bytes)]
    return sum(sizes) / 1e6


def looks() -> list[Row]:
    """One request for four outputs of the simulator that never come."""
    world = World()
    customer, stage = world.customer(), Stage(world)
    world.queued(customer, model="nanobanana", num_outputs=4, prompt="[timeout] A shark")
    stage.run()
    looked = len(world.poll_queue.messages)
    return [Row("four outputs that never come", 1, "request", looked, "looks at providers", LOOKS_MAX)]


def holds() -> list[Row]:
    """Reads that ask to be held for 20 seconds, one after the other, within a minute of the key's budget."""
    world = World()
    customer, api = world.customer(), Api(world)
    job = world.queued(customer)
    began_ms = world.clock.ms = world.clock.ms // 60_000 * 60_000
    held_ms = 0
    for _ in range(TRIES // 2):
        api.call("http_get_task", customer, job_id=job.id, headers={"prefer": "wait=20"})
        held_ms += world.clock.ms - began_ms
        world.clock.ms = began_ms
    return [Row("held reads", 1, "minute of a key", held_ms / 1000, "s held", HELD_S_PER_MINUTE)]


def requests_of_keys() -> list[Row]:
    """Quotes of one key, and requests of eight keys of one account, all at one moment."""
    world = World()
    customer, other, api = world.customer(), world.customer(), Api(world)
    quote = {"model": "nanobanana", "prompt": "A shark"}
    quotes = [api.call("http_post_quote", customer, body=json.dumps(quote)).status for _ in range(TRIES)]
    keys = [other.key, *(_another_key(world, other) for _ in range(KEYS - 1))]
    passed = _passing(partial(world.authenticate, f"Bearer {key}") for key in keys * TRIES)
    polled = _passing(partial(world.authenticate, f"Bearer {key}", POLL) for key in keys * TRIES)
    return [
        _at_once("quotes of one key", TRIES, quotes.count(200), BURST),
        _at_once("requests of eight keys of one account", KEYS * TRIES, passed, ACCOUNT.burst + BLOCK),
        _at_once("polls of eight keys of one account", KEYS * TRIES, polled, ACCOUNT.of_polls.burst + BLOCK),
    ]


def _another_key(world: World, customer: Customer) -> str:
    key = customer.stored_key
    return world.manage.create_key(customer.account_id, key.prefix, key.limit, customer.caller.scopes).secret


def _passing(asks: Iterable[Callable[[], object]]) -> int:
    passed = 0
    for ask in asks:
        with suppress(RateLimited):
            ask()
            passed += 1
    return passed


def guesses() -> list[Row]:
    """Keys that are guessed from one address, and open routes that are asked from one."""
    world = World()
    api = Api(world)
    sent, at_most = 5 * TRIES, OPEN.burst + BLOCK
    for number in range(sent):
        with suppress(Unauthorized, RateLimited):
            world.authenticate(f"Bearer sk_live_{number:032}", source="192.0.2.1")
    looked_up = world.network.calls.count("keys.admit")
    statuses = [api.call("http_get_health").status for _ in range(sent)]
    return [
        _at_once("keys guessed from one address", sent, looked_up, at_most, "keys looked up"),
        _at_once("open routes asked from one address", sent, statuses.count(200), at_most),
    ]


def pages() -> list[Row]:
    """Pages of a session, of a guest, and passwords that are guessed."""
    site = Site(World())
    member, guest = site.member(), site.browser()
    csrf = guest.get("/sign-in").hidden("csrf")

    def guessed(number: int, email: str, source: str) -> int:
        headers = {"x-shoal-front": FRONT_TOKEN, "x-forwarded-for": f"{source}, 198.51.100.1"}
        fields = {"csrf": csrf, "email": email, "password": f"wrong wrong {number}"}
        return guest.send("POST", "/sign-in", fields=fields, headers=headers).status

    of_session = [member.get("/wallet").status for _ in range(TRIES)]
    of_guest = [guest.get("/forgot").status for _ in range(TRIES)]
    of_source = [guessed(n, f"{n}@example.com", "192.0.2.1") for n in range(TRIES)]
    of_person = [guessed(n, "diver@example.com", f"192.0.2.{n}") for n in range(TRIES)]
    return [
        _at_once("pages of a session", TRIES, of_session.count(200), SESSION.burst + BLOCK),
        _at_once("pages of a guest", TRIES, of_guest.count(200), SOURCE.burst + BLOCK),
        _at_once("passwords from one address", TRIES, _let(of_source), SOURCE_FORMS.burst, "passwords tried"),
        _at_once("passwords of one person", TRIES, _let(of_person), EMAIL_FORMS.burst, "passwords tried"),
    ]


def _let(statuses: list[int]) -> int:
    return len(statuses) - statuses.count(429)


def _at_once(name: str, sent: int, answered: int, at_most: int, unit: str = "answered") -> Row:
    return Row(f"{name}, at one moment", sent, "requests", answered, unit, at_most / sent)


def webhooks() -> list[Row]:
    """One free request whose end goes to six addresses of a host that never agreed to any."""
    hooks = WebhookWorld()
    hooks.funds.penniless.add(HOOKS_ACCOUNT)
    for number in range(5):
        hooks.endpoints.at(500, url=f"{VICTIM}/{number}")
        hooks.create(url=f"{VICTIM}/{number}")
    job = a_job(account_id=HOOKS_ACCOUNT, webhook_url=f"{VICTIM}/job")
    hooks.endpoints.at(500, url=f"{VICTIM}/job")
    hooks.jobs.jobs[HOOKS_ACCOUNT, job.id] = job
    hooks.event().detail["data"] |= {"job_id": job.id}
    hooks.run()
    minutes = Counter(sent.at_ms // 60_000 for sent in hooks.endpoints.sent)
    busiest = max(minutes.values())
    return [
        Row("webhooks to a host that never agreed", 1, "minute", busiest, "POSTs to it", UNPAID_SENDS_MAX)
    ]


def play_money() -> list[Row]:
    """Requests of a test key for outputs that are asked after: which queue their looks wait in."""
    world = World()
    player, stage = world.customer(prefix=KeyPrefix.TEST), Stage(world)
    for _ in range(10):
        world.queued(player, model="nanobanana", num_outputs=4, prompt="[poll] A shark")
    stage.run()
    client = Messages()
    queue = SqsPollQueue(cast("Any", client), LIVE, SIMULATED)
    for message in world.poll_queue.messages:
        queue.send(message.look, delay_seconds=message.delay_seconds)
    assert client.queues[SIMULATED] >= 40
    return [Row("play money", 10, "requests", client.queues[LIVE], "looks among live ones", 0)]
