"""`python -m bench`: every figure in one table. Boots a local cloud of its own."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import requests
from rich.markup import escape

from bench import cold, cpu, figures, jobs, routes, stack, upstream, usage
from bench.figures import Figure
from bench.recorder import recorder
from infra.lambdas import registry
from infra.local.cloud import LocalCloud, local_cloud
from infra.local.processes import LocalCloudError
from infra.local.run import console, step
from infra.stage import PROVIDER_DEADLINE_SECONDS
from shoal.adapters.dynamodb.table import Table
from shoal.composition.accounts import manage_accounts
from shoal.domain.api_key import KeyPrefix, Scope
from shoal.domain.rate_limit import REQUESTS_PER_MINUTE_MAX, RateLimit

USD_MICROS = 100_000_000
CREDITS = 1_000
PARTS = ("alone", "deployed", "provider")
PAUSED = ("SweepSchedule", "AuditSchedule")


def main() -> None:
    """Exits with 1 when something fails; a target that is missed is told, and is no failure."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--windows", type=int, default=31, help="of CPU, each arm in turn")
    parser.add_argument("--starts", type=int, default=11, help="cold ones, each arm in turn")
    parser.add_argument("--jobs", type=int, default=60, help="for jobs a second, and a sixth of them counted")
    parser.add_argument("--clients", type=int, default=6)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="of the table")
    parser.add_argument("--markdown", action="store_true", help="the table for a page")
    options = parser.parse_args()
    try:
        load = os.getloadavg()[0]
        parts = {"alone": _alone, "deployed": _count_deployed, "provider": _count_provider}
        found = [figure for name in options.parts for figure in parts[name](options)]
    except (LocalCloudError, requests.RequestException) as error:
        sys.exit(str(error))
    caption = f"load of the machine when it began: {load:.1f} on {os.cpu_count()} processors"
    if options.markdown:
        print(figures.markdown(found, caption))
    else:
        console.print(figures.table(found, escape(caption)))


def _alone(options: argparse.Namespace) -> Iterator[Figure]:
    """What needs no cloud."""
    for route in cpu.ROUTES:
        with step(f"CPU of a {route}"):
            measured = cpu.measure(route, windows=options.windows)
        yield from figures.of_cpu(route, measured)
    for route in cpu.ROUTES:
        with step(f"Cold starts to a {route}"):
            started = cold.measure(route, starts=options.starts)
        yield from figures.of_start(route, started)
    with step("Cold starts of call_provider"):
        init_ms = cold.measure_init(registry.CALL_PROVIDER.handler.rpartition(".")[0], starts=options.starts)
    yield figures.of_init(registry.CALL_PROVIDER.verb, init_ms)
    with step("Zips"):
        zips = list(figures.of_zips())
    yield from zips


def _count_deployed(options: argparse.Namespace) -> Iterator[Figure]:
    """What is counted on the stack."""
    with tempfile.TemporaryDirectory() as folder, _cloud(folder) as cloud:
        customer = _customer(cloud)
        with step(f"{options.jobs} jobs by {options.clients} clients"):
            throughput = jobs.measure(cloud.api_url, customer.key, jobs=options.jobs, clients=options.clients)
        with step(f"CPU of {2 * options.jobs} jobs in the whole stack"):
            stack_cpu = stack.measure(cloud, customer.key, jobs=options.jobs)
        with recorder(cloud) as recording:
            with step("AWS calls by route"):
                counts = routes.measure(recording, customer)
            yield from figures.of_routes(counts)
            for kind, number in ((usage.IMAGE, options.jobs // 6), (usage.VIDEO, 1)):
                with step(f"What one {kind.name} uses up"):
                    used = usage.measure(cloud, recording, customer, kind, jobs=number)
                yield from figures.of_job(kind.name, used, targets=kind is usage.IMAGE)
        yield from figures.of_throughput(throughput)
        yield from figures.of_stack(stack_cpu)


def _count_provider(options: argparse.Namespace) -> Iterator[Figure]:
    """What is counted on a stack whose provider answers at once. Its time is added: it only is waited for."""
    with tempfile.TemporaryDirectory() as folder, _cloud(folder) as cloud, upstream.upstream() as url:
        customer = _customer(cloud)
        upstream.set_key(customer)
        urls = {"SHOAL_PROVIDER_BASE_URLS": json.dumps({upstream.PROVIDER: url})}
        with recorder(cloud, urls) as recording, step("What an image of a provider uses up"):
            used = usage.measure(cloud, recording, customer, usage.IMAGE, jobs=options.jobs // 6)
        yield from figures.of_provider(used, registry.CALL_PROVIDER.memory_mb)


def _cloud(folder: str) -> AbstractContextManager[LocalCloud]:
    return local_cloud(Path(folder), provider_deadline_s=PROVIDER_DEADLINE_SECONDS)


def _customer(cloud: LocalCloud) -> usage.Customer:
    """A new account that can pay, whose key no rate limits, in a cloud where nothing runs by itself."""
    events = cloud.client("events")
    for rule in events.list_rules()["Rules"]:
        if any(name in rule["Name"] for name in PAUSED):
            events.disable_rule(Name=rule["Name"])
    accounts = manage_accounts(Table(cloud.client("dynamodb"), cloud.outputs["TableName"]))
    account, _ = accounts.open("bench@example.com", usd_micros=USD_MICROS, credits=CREDITS)
    limit = RateLimit.of_rate(REQUESTS_PER_MINUTE_MAX)
    key = accounts.create_key(account.id, KeyPrefix.LIVE, limit, frozenset(Scope))
    return usage.Customer(cloud, key.secret)


if __name__ == "__main__":
    main()
