"""A stack with orders coming in, disturbed for a while, then left to end what it has begun."""

from __future__ import annotations

import json
import random
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import requests

from infra.local.cloud import local_cloud
from tests.chaos.disturbance import Disturbance
from tests.chaos.orders import Order, carry_out, draw
from tests.chaos.report import Report
from tests.support.bus import BusLog
from tests.support.client import Client
from tests.support.deployed import Customer, Deployed
from tests.support.receiver import Received, Receiver
from tests.support.webhooks import WebhooksClient

SERVER = "tests.chaos.server"
PROVIDER_DEADLINE_SECONDS = 180
"""What the image API promises."""
TOLD_EVERY_SECONDS = 15.0
SETTLED_SECONDS_MAX = 180.0
"""How long what follows from an end may take: two sweeps, and a message that a killed function had."""
CHECK_EVERY_SECONDS = 3.0
ENDS = {
    "image.completed",
    "image.failed",
    "task.completed",
    "task.failed",
    "video.ready",
    "video.failed",
}


@dataclass(frozen=True)
class Plan:
    """So many clients order for `seconds`, one thing after the other; every `every_s` a worker suffers."""

    seconds: float = 600.0
    seed: int = 1
    rate: float = 0.02
    every_s: float = 4.0
    clients: int = 8
    spared: tuple[str, ...] = ()


def play(plan: Plan, folder: Path, say: Callable[[str], None]) -> Report:
    """Boot, disturb, wait for the end of all. `say` is told how it goes."""
    say("booting the local cloud")
    with (
        local_cloud(folder, provider_deadline_s=PROVIDER_DEADLINE_SECONDS, server=SERVER) as cloud,
        requests.Session() as http,
        Receiver() as receiver,
    ):
        deployed = Deployed(cloud, http, BusLog(cloud))
        customer = deployed.customer("1000.00", credits=1000)
        WebhooksClient(customer.client).subscribe(receiver.url("/hook"), "*")
        chance = random.Random(plan.seed)  # noqa: S311
        disturbance = Disturbance(cloud.folder, chance, plan.every_s, frozenset(plan.spared))
        orders: list[Order] = []
        over = time.monotonic() + plan.seconds
        with ThreadPoolExecutor(plan.clients) as clients:
            ordering = [
                clients.submit(_order, customer, random.Random(f"{plan.seed}/{number}"), over, orders)  # noqa: S311
                for number in range(plan.clients)
            ]
            with disturbance.under_way(seed=plan.seed, rate=plan.rate):
                _tell_until(lambda: time.monotonic() > over, orders, disturbance, say)
            say("no more disturbances: waiting for the orders to end")
            _tell_until(lambda: all(each.done() for each in ordering), orders, disturbance, say)
            for each in ordering:
                each.result()
        return _look(deployed, receiver, orders, disturbance, say)


def _order(customer: Customer, chance: random.Random, over: float, orders: list[Order]) -> None:
    """One client: an order after the other. A session is no business of several threads."""
    with requests.Session() as http:
        client = Client(http, customer.client.api_url, customer.key)
        while time.monotonic() < over:
            order = Order(*draw(chance))
            orders.append(order)
            carry_out(order, client)


def _tell_until(
    over: Callable[[], bool], orders: list[Order], disturbance: Disturbance, say: Callable[[str], None]
) -> None:
    """Say from time to time how far it is."""
    told_at_s = 0.0
    while not over():
        if time.monotonic() - told_at_s > TOLD_EVERY_SECONDS:
            told_at_s = time.monotonic()
            ended, failed = sum(each.ended for each in orders), sum(bool(each.problem) for each in orders)
            kills, faults = disturbance.kills.total(), disturbance.faults().total()
            say(f"{len(orders)} orders, {ended} ended, {failed} failed; {kills} kills, {faults} faults")
        time.sleep(1.0)


def _look(
    deployed: Deployed,
    receiver: Receiver,
    orders: list[Order],
    disturbance: Disturbance,
    say: Callable[[str], None],
) -> Report:
    jobs = [order.job_id for order in orders if order.job_id and order.status]
    until_s = time.monotonic() + SETTLED_SECONDS_MAX
    say("waiting for the last events and deliveries")
    while True:
        untold = _without_one_end(jobs, _on_bus(deployed))
        undelivered = _without_one_end(jobs, _at_webhook(receiver.requests))
        if not (untold or undelivered) or time.monotonic() > until_s:
            break
        time.sleep(CHECK_EVERY_SECONDS)
    discrepancies: int = deployed.invoke("audit-ledger", {})["discrepancies"]
    return Report(
        orders,
        untold,
        undelivered,
        discrepancies,
        {url.rpartition("/")[2]: count for url, count in deployed.dead_letters().items() if count},
        disturbance.kills,
        disturbance.pauses,
        disturbance.faults(),
    )


Ends = dict[str, set[str]]
"""The ids of the events that told of a job's end, by job."""


def _without_one_end(jobs: list[str], ends: Ends) -> list[str]:
    return [job for job in jobs if len(ends[job]) != 1]


def _on_bus(deployed: Deployed) -> Ends:
    ends: Ends = defaultdict(set)
    for event in deployed.bus.everything():
        if event["detail-type"] in ENDS:
            data = event["detail"]["data"]
            ends[data.get("job_id") or data["video_id"]].add(event["detail"]["id"])
    return ends


def _at_webhook(received: list[Received]) -> Ends:
    ends: Ends = defaultdict(set)
    for each in list(received):
        event = json.loads(each.body)
        if event["type"] in ENDS:
            data = event["data"]
            ends[data.get("job_id") or data["video_id"]].add(event["id"])
    return ends
