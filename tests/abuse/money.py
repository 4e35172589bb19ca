"""Work that is canceled, refused or lost: what its caller pays, and what providers charge for it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from shoal.composition.providers import GUARDRAIL_MICROS
from shoal.domain.catalog import load_catalog
from shoal.domain.errors import (
    REFUSED_BY_MODERATION,
    Forbidden,
    InsufficientBalance,
    OutcomeUnknown,
    ValidationFailed,
)
from shoal.domain.job import Job, Step
from shoal.domain.routing import Board, Phase, ProviderCall
from shoal.domain.spend import FREE_MICROS
from shoal.ports.moderation import Verdict
from tests.abuse.row import Row
from tests.fakes.routing import FakeBoard
from tests.worlds.machine import Stage
from tests.worlds.routing_world import ROUTES, Routing
from tests.worlds.world import FAILURES_MULTIPLE, Customer, World

MODEL = "nanobanana"
ROUTE = next(route for route in load_catalog().routes(MODEL) if route.cost_micros)
COST_MICROS = ROUTE.cost_micros or 0
"""What the first provider of the model charges for an output."""


def cancels() -> list[Row]:
    """Many pictures are canceled the moment their providers were asked for them."""
    world = World()
    customer, stage = world.customer(), Stage(world)
    jobs = [
        world.queued(customer, model=MODEL, prompt="[billed][slow:30] A shark", num_outputs=4)
        for _ in range(8)
    ]
    stage.run(until_ms=world.clock.ms + 5_000)
    for job in jobs:
        world.cancel_job(customer.caller, job.id)
    stage.run()
    ended = [world.now(job) for job in jobs]
    paid = sum(job.cost // job.submission.unit_price for job in ended)
    delivered = sum(len(job.outputs) for job in ended)
    return [Row("cancel what is being made", paid, "outputs paid for", delivered, "outputs delivered", 1)]


def refusals() -> list[Row]:
    """Prompts that providers refuse, one after the other, until the account is stopped."""
    world = World()
    penniless, payer = world.customer(), world.customer(usd="50.00")
    free = _refuse_until_stopped(world, penniless)
    for _ in range(100):
        world.completed(payer, mode="2k")
    lost, captured = (
        _refuse_until_stopped(world, payer),
        world.open_jobs.of(payer.account_id, world.clock.ms)[1].captured,
    )
    one_more = COST_MICROS
    return [
        Row(
            "prompts that are refused, nothing paid",
            1,
            "account and day",
            free / 1e6,
            "$ at providers",
            (FREE_MICROS + one_more) / 1e6,
        ),
        Row(
            "prompts that are refused beside paid work",
            captured / 1e6,
            "$ paid",
            lost / 1e6,
            "$ at providers",
            (FAILURES_MULTIPLE * captured + one_more) / captured,
        ),
    ]


def scripts() -> list[Row]:
    """Long videos are canceled once their words are written and spoken, before any scene is asked for."""
    world = World()
    customer = world.customer(credits=15)
    keyed = FakeBoard(Board(keyed=frozenset({"gemini"})))
    world.submit_job = replace(world.submit_job, board=keyed)
    words = load_catalog().video
    parts = words.script_routes, words.speech_routes
    dearest = [max(route.cost_micros or 0 for route in routes) for routes in parts]
    each, videos = words.scenes_max * sum(dearest) / 1e6, 0
    with suppress(Forbidden):
        for _ in range(100):
            job = world.video(customer, duration=words.seconds_max)
            world.jobs.advance(job.account_id, job.id, world.clock.ms, Step.SCRIPT)
            world.cancel_job(customer.caller, job.id)
            videos += 1
    lost, most = videos * each, FREE_MICROS / 1e6 + each
    name = "videos canceled before their first scene"
    return [Row(name, 1, "account and day", lost, "$ at providers", most)]


class Judge:
    """A guardrail that has something against everything."""

    asked = 0

    def check(self, text: str) -> Verdict:
        self.asked += len(text) > 0
        return Verdict(flagged=True)


def judgements() -> list[Row]:
    """Prompts that a guardrail, asked before money is held, refuses: of who can pay, and of who can't."""
    rows = []
    for who, usd, verdicts_max in (
        ("can pay", "1.00", FREE_MICROS // GUARDRAIL_MICROS + 1),
        ("can't", "0", 0),
    ):
        world, judge = World(), Judge()
        world.moderate_with(judge, name="bedrock", cost_micros=GUARDRAIL_MICROS)
        customer = world.customer(usd=usd)
        with suppress(Forbidden):
            for _ in range(2_000):
                with suppress(ValidationFailed, InsufficientBalance):
                    world.submit_task(customer)
        name = f"prompts that a guardrail refuses, of who {who}"
        rows.append(Row(name, 1, "account and day", judge.asked, "verdicts paid", verdicts_max))
    return rows


def _refuse_until_stopped(world: World, customer: Customer) -> int:
    """What providers charged for what came to nothing, in micro-dollars."""
    asked = 0
    try:
        while True:
            job = _asked(world, customer)
            world.release_hold(job.account_id, job.id, "ProviderRejected", REFUSED_BY_MODERATION)
            asked += 1
    except Forbidden:
        return asked * COST_MICROS


def _asked(world: World, customer: Customer) -> Job:
    job = world.processing(customer, model=MODEL)
    call = ProviderCall(1, f"{ROUTE.provider}/{ROUTE.model}", Phase.ASKED, mark="run")
    return world.jobs.note_call(job, 0, call)


def unknown_outcomes() -> list[Row]:
    """A gateway answers 502 to each request: its provider may have made, and charged, the output."""
    lost = Routing()
    for upstream in lost.upstreams.values():
        upstream.script = [OutcomeUnknown("502")] * 10
    lost.run_all()
    return [
        Row(
            f"502 from a provider that may have worked, {len(ROUTES)} routes",
            1,
            "output asked for",
            len(lost.asked()),
            "requests to providers",
            1,
        )
    ]
