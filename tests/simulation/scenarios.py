"""What `make simulate` prints: the product under load, measured in virtual time."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import linear_regression

from shoal.adapters.dynamodb.items import OPEN_SHARDS
from shoal.domain.job import START_GRACE_MS
from tests.simulation.assumptions import SWEEPER_S
from tests.simulation.attributes import Item
from tests.simulation.client import SimulatedClient
from tests.simulation.product import Customer, Product, world
from tests.simulation.table import key_of

PLENTY_MICROS = 10**12
FASTEST_PER_MINUTE = 60_000
"""The highest rate a key may have, so that no key's limit is what is measured."""
WARM_S = 10.0
"""Seconds until as many jobs end as begin: nothing before is measured."""
ACCEPTED, BUSY = 202, 503
SETTLING_S = 3.0
"""Of a burst: how long after it began money is compared for the first time."""
SWEPT_ACCOUNTS = 40
START_GRACE_S = START_GRACE_MS / 1000
SWEEP_EVERY_S, SWEEPS_MAX = 60.0, 20
FIT_MAX, FIT_RATES_MIN = 0.05, 3


@dataclass(frozen=True, slots=True)
class Load:
    """What one wallet did at a rate. Rates in jobs per second, shares from 0 to 1, durations in milliseconds.

    `conflicts` is the share of transactions that met another one's lock; `gave_up` are jobs whose
    settlement failed through all its retries and was left to the sweeper, `given_away` those whose hold was
    released although their provider had delivered.
    """

    rate: float
    accepted_per_s: float
    busy: float
    submit_p50_ms: float
    submit_p99_ms: float
    settle_p99_ms: float
    gave_up: int
    given_away: int
    conflicts: float
    throttled: int
    transaction_p50_ms: float
    transaction_p99_ms: float
    locked_p50_ms: float
    problems: tuple[str, ...]

    @property
    def exact(self) -> bool:
        return not self.problems


@dataclass
class Answers:
    """Statuses with how long each took, in milliseconds."""

    statuses: Counter[int]
    took_ms: list[float]

    @classmethod
    def none(cls) -> Answers:
        return cls(Counter(), [])

    def share(self, status: int) -> float:
        return self.statuses[status] / max(1, self.statuses.total())


def wallet_load(
    rate: float,
    seconds: float,
    *,
    seed: int,
    warm_s: float = WARM_S,
    make_client: type[SimulatedClient] = SimulatedClient,
) -> Load:
    """Submits to one account, at random moments, for so long after the warm-up; then all jobs run to their
    end."""
    product = world(seed, make_client)
    customer = _customer(product)
    answers = Answers.none()
    from_s = product.kernel.now_s + warm_s
    until_s = from_s + seconds
    _arrive(product, rate, until_s, lambda: _ask(product, product.submit, customer, answers, from_s))
    product.kernel.run(until_s)
    problems = _problems(product)  # holds of thousands of open jobs are compared here,
    product.kernel.run()
    problems += _problems(product)  # and the captures of all of them here
    return _load(product, rate, seconds, answers, from_s, tuple(problems))


def burst_load(submits: int, *, seed: int) -> Load:
    """So many submits within one second; then all jobs run to their end."""
    product = world(seed)
    customer = _customer(product)
    answers = Answers.none()
    began_s = product.kernel.now_s
    for _ in range(submits):
        product.kernel.spawn(
            lambda: _ask(product, product.submit, customer, answers, began_s),
            after_s=product.kernel.random.random(),
        )
    product.kernel.run(began_s + SETTLING_S)
    problems = _problems(product)
    product.kernel.run()
    problems += _problems(product)
    return _load(product, submits, 1.0, answers, began_s, tuple(problems))


@dataclass(frozen=True, slots=True)
class KeyLoad:
    """What one API key answered at a rate of requests per second: shares from 0 to 1, milliseconds."""

    rate: float
    admitted: float
    busy: float
    p99_ms: float


def key_load(rate: float, seconds: float, *, seed: int) -> KeyLoad:
    """Requests with one key, which only authenticate."""
    product = world(seed)
    customer = _customer(product)
    answers = Answers.none()
    from_s = product.kernel.now_s + 1.0
    until_s = from_s + seconds
    _arrive(product, rate, until_s, lambda: _ask(product, product.knock, customer, answers, from_s))
    product.kernel.run()
    return KeyLoad(rate, answers.share(200), answers.share(BUSY), _quantile(answers.took_ms, 0.99))


@dataclass(frozen=True, slots=True)
class Swept:
    """What became of jobs whose execution was not started: `started` by each sweep, one a minute.

    `expired` waited for so long that they were given up. `per_s` is what the first sweep started a second.
    """

    waiting: int
    started: tuple[int, ...]
    expired: int
    left: int
    per_s: float


def sweeps(backlog: int, *, seed: int, at_a_time: int = 1, shards: Sequence[str] = OPEN_SHARDS) -> Swept:
    """Sweeps until nothing waits, or for `SWEEPS_MAX` minutes, over so many jobs in those shards.

    They were accepted while Step Functions was out of order, and all are due when the first sweep begins.
    """
    product = world(seed)
    kernel = product.kernel
    _let_wait(product, backlog, shards)
    began_s, started = kernel.now_s, list[int]()
    took_s = list[float]()
    while len(_waiting(product)) and len(started) < SWEEPS_MAX:
        until_s = kernel.now_s + SWEEPER_S
        done = [_sweep(product, until_s, took_s) for _ in range(at_a_time)]
        kernel.run(kernel.now_s + SWEEP_EVERY_S)
        started += [each["started"] for each in done]
    statuses = Counter(item["status"]["S"] for item in _jobs(product))
    per_s = sum(started[:at_a_time]) / (took_s[0] - began_s)
    return Swept(backlog, tuple(started), statuses["expired"], len(_waiting(product)), per_s)


def _sweep(product: Product, until_s: float, took_s: list[float]) -> Counter[str]:
    """What a sweep will have done; it is told how long it may run, as by Lambda."""
    done: Counter[str] = Counter()

    def run() -> None:
        product.sweep_jobs(lambda: until_s - product.kernel.now_s, done.update)
        took_s.append(product.kernel.now_s)

    product.kernel.spawn(run)
    return done


def _let_wait(product: Product, backlog: int, shards: Sequence[str]) -> None:
    """Write that many jobs, copies of one that was accepted in each account. Their wallets hold nothing."""
    product.workflow.open = False
    for _ in range(min(backlog, SWEPT_ACCOUNTS)):
        customer = _customer(product)
        product.kernel.result_of(lambda customer=customer: product.submit(customer))  # type: ignore[misc]
    product.kernel.run(product.kernel.now_s + START_GRACE_S)
    product.workflow.open, product.workflow.begins_only = True, True
    templates = _jobs(product)
    for n in range(backlog - len(templates)):
        job_id = product.ids.new("job", product.kernel.now_ms() - START_GRACE_MS)
        ulid = job_id.partition("_")[2]
        place = {"sk": f"JOB#{ulid}", "id": job_id, "open_shard": shards[n % len(shards)]}
        item = {**templates[n % len(templates)], **{name: {"S": value} for name, value in place.items()}}
        product.simulated.store(key_of(item), item)


def _jobs(product: Product) -> list[Item]:
    return [item for (_, sk), item in product.simulated.items.items() if sk.startswith("JOB#")]


def _waiting(product: Product) -> list[Item]:
    return [item for item in _jobs(product) if item["status"]["S"] == "queued"]


def fastest_below(loads: Sequence[Load], share: float) -> float | None:
    """The highest rate up to which no rate had that share of 503s, None if already the lowest had."""
    below = None
    for load in sorted(loads, key=lambda load: load.rate):
        if load.busy >= share:
            break
        below = load.rate
    return below


def rate_reaching(loads: Sequence[Load], share: float) -> float | None:
    """The rate at which 503s reach a share, by a line through the logarithms of the shares up to `FIT_MAX`.

    Near 0.1 % a run has a handful of 503s, so a single rate tells little: neighbors swap places by chance.
    None with fewer than three rates to draw a line through.
    """
    seen = [load for load in loads if 0 < load.busy <= FIT_MAX]
    if len(seen) < FIT_RATES_MIN:
        return None
    line = linear_regression([load.rate for load in seen], [math.log(load.busy) for load in seen])
    return (math.log(share) - line.intercept) / line.slope


def _customer(product: Product) -> Customer:
    return product.kernel.result_of(
        lambda: product.open_account(usd_micros=PLENTY_MICROS, requests_per_minute=FASTEST_PER_MINUTE)
    )


def _arrive(product: Product, rate: float, until_s: float, process: Callable[[], None]) -> None:
    """Spawn processes at random moments (a Poisson process) until then."""
    kernel = product.kernel

    def arrivals() -> None:
        while True:
            kernel.sleep(kernel.random.expovariate(rate))
            if kernel.now_s >= until_s:
                return
            kernel.spawn(process)

    kernel.spawn(arrivals)


def _ask(
    product: Product,
    ask: Callable[[Customer], int],
    customer: Customer,
    answers: Answers,
    from_s: float,
) -> None:
    began_s = product.kernel.now_s
    status = ask(customer)
    if began_s >= from_s:
        answers.statuses[status] += 1
        answers.took_ms.append((product.kernel.now_s - began_s) * 1000)


def _problems(product: Product) -> list[str]:
    return [f"{found.what}: {found.expected}, not {found.found}" for found in product.audit()]


def _load(
    product: Product, rate: float, seconds: float, answers: Answers, from_s: float, problems: tuple[str, ...]
) -> Load:
    measures, visits = product.simulated.measures, product.executions.visits
    settled = [visit for visit in visits if visit.state == "SettleWallet" and visit.entered_s >= from_s]
    released = [visit for visit in visits if visit.state == "ReleaseHold"]
    transactions_ms = [s * 1000 for s in measures.transactions_s]
    return Load(
        rate=rate,
        accepted_per_s=answers.statuses[ACCEPTED] / seconds,
        busy=answers.share(BUSY),
        submit_p50_ms=_quantile(answers.took_ms, 0.5),
        submit_p99_ms=_quantile(answers.took_ms, 0.99),
        settle_p99_ms=_quantile([(visit.left_s - visit.entered_s) * 1000 for visit in settled], 0.99),
        gave_up=sum(visit.next_state == "LeftToTheSweeper" for visit in settled),
        given_away=sum(visit.next_state == "PublishFailed" for visit in released),
        conflicts=measures.counts["transactions in conflict"] / max(1, measures.counts["transactions"]),
        throttled=measures.counts["throttled by a partition"] + measures.counts["throttled by an index"],
        transaction_p50_ms=_quantile(transactions_ms, 0.5),
        transaction_p99_ms=_quantile(transactions_ms, 0.99),
        locked_p50_ms=_quantile([s * 1000 for s in measures.locked_s], 0.5),
        problems=problems,
    )


def _quantile(values: Sequence[float], share: float) -> float:
    """The value below which that share lies; not a number if there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else math.nan
