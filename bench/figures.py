"""The figures of `make bench`, each with its target."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass

from rich.table import Table

from bench import cold, cpu, routes
from bench.jobs import Throughput
from bench.prices import MILLION, Used
from bench.stack import StackCpu
from infra.build import packages

MEGABYTE = 1024 * 1024
HEADINGS = ("figure", "measured", "target", "")


@dataclass(frozen=True)
class Figure:
    """`met` is None for a figure without a target; `why` tells where what was measured comes from."""

    name: str
    value: str
    target: str = ""
    met: bool | None = None
    why: str = ""

    @property
    def verdict(self) -> str:
        return {None: "", True: "met", False: "missed"}[self.met]


def at_most(name: str, value: float, limit: float, form: str, *, detail: str = "", why: str = "") -> Figure:
    """A figure that must not exceed `limit`; `form` is how both are written."""
    return Figure(name, form.format(value) + detail, f"≤ {form.format(limit)}", value <= limit, why)


def _spread(ratios: list[float]) -> str:
    """How far the machine lets a ratio be trusted."""
    low, _, high = statistics.quantiles(ratios, n=4)
    return f"of {len(ratios)} ratios half are between {low:.2f} and {high:.2f}"


def of_cpu(route: str, measured: cpu.Cpu) -> Iterator[Figure]:
    ms = {arm: f"{measured.ms(arm):.2f}" for arm in measured.windows_ms}
    yield at_most(
        f"CPU of a {route} : bare boto3",
        measured.ratio_to(cpu.BARE),
        1.3,
        "{:.2f} ×",
        detail=f" ({ms[cpu.SHOAL]} : {ms[cpu.BARE]} ms)",
        why=_spread(measured.ratios_to(cpu.BARE)),
    )
    web = f"{measured.ratio_to(cpu.WEB):.2f} × ({ms[cpu.SHOAL]} : {ms[cpu.WEB]} ms)"
    yield Figure(f"CPU of a {route} : FastAPI + Mangum + boto3", web)


def of_start(route: str, measured: cold.Cold) -> Iterator[Figure]:
    def detail(arms: dict[str, list[float]]) -> str:
        medians = (statistics.median(arms[arm]) for arm in (cpu.SHOAL, cpu.BARE))
        return " ({:.0f} : {:.0f} ms)".format(*medians)

    init, answer = dict(measured.init_ms), dict(measured.answer_ms)
    name = f"cold INIT of {route} : bare boto3 clients"
    why = _spread(cold.ratios(init))
    yield at_most(name, cold.ratio(init), 1.0, "{:.2f} ×", detail=detail(init), why=why)
    value = f"{cold.ratio(answer):.2f} ×{detail(answer)}"
    yield Figure(f"INIT and first {route} : the same with bare boto3", value)


def of_zips() -> Iterator[Figure]:
    built = packages.build_packages(espeak=False)
    functions, base = (path.stat().st_size / MEGABYTE for path in (built.functions, built.base) if path)
    detail = f" ({functions:.1f} + {base:.1f})"
    why = "the first is our own code, the second the packages"
    name = "zips of an API function and its layer"
    yield at_most(name, functions + base, 12.0, "{:.1f} MB", detail=detail, why=why)


def of_routes(counts: dict[str, int]) -> Iterator[Figure]:
    yield at_most("AWS calls of a submit, one after the other", counts.pop(routes.SUBMIT), 4, "{}")
    yield at_most("AWS calls of a poll", counts.pop(routes.POLL), 2, "{}")
    yield Figure("AWS calls of other routes", ", ".join(f"{route} {n}" for route, n in counts.items()))


def of_provider(used: Used, memory_mb: int) -> Iterator[Figure]:
    """An image that a provider answers at once, after the seconds that it takes."""
    for seconds, limit in ((8, 0.000190), (30, 0.000260)):
        waited = used.waiting(seconds, memory_mb)
        name = f"list price of one image by a provider of {seconds} s"
        yield at_most(name, waited.dollars, limit, "${:.6f}", why=_dearest(waited))
    name = "AWS calls of that image from its submit to its event, one after the other"
    yield at_most(name, round(used.serial_calls), 13, "{}")
    parts = ", ".join(f"{part} {cost * MILLION:.1f}" for part, cost in used.parts.items())
    yield Figure("its parts but for the waiting, dollars a million", parts)


def of_init(function: str, init_ms: list[float]) -> Figure:
    """CPU of a function until it is ready for its first event."""
    return Figure(f"cold INIT of {function}", f"{statistics.median(init_ms):.0f} ms")


def _dearest(used: Used) -> str:
    dearest = sorted(used.parts.items(), key=lambda part: part[1], reverse=True)[:4]
    return ", ".join(f"${cost:.6f} for {part}" for part, cost in dearest)


def of_job(name: str, used: Used, *, targets: bool) -> Iterator[Figure]:
    transitions, dollars = f"state transitions of one {name}", f"list price of one {name}"
    if targets:
        yield Figure(transitions, f"{used.transitions:g}", "= 4", used.transitions == 4)
        yield at_most(dollars, used.dollars, 0.0002, "${:.6f}", why=_dearest(used))
    else:
        yield Figure(transitions, f"{used.transitions:g}")
        yield Figure(dollars, f"${used.dollars:.6f}")
    units = f"{used.write_units:g} and {used.index_units:g} of the index written, {used.read_units:g} read"
    yield Figure(f"DynamoDB units of one {name}", units)
    time = (
        f"{used.lambda_ms:.0f} ms in {used.invocations:g} invocations, "
        f"{used.computed_gb_s:.2f} GB-s of computing, {used.waited_gb_s:.2f} of waiting"
    )
    yield Figure(f"Lambda time of one {name}", time)


def of_throughput(measured: Throughput) -> Iterator[Figure]:
    accepted = measured.ratio_to_healthz(measured.accepted_s)
    complete = measured.ratio_to_healthz(measured.complete_s)
    yield Figure("jobs a second through the local stack", f"{measured.jobs_per_second:.1f}")
    yield Figure("submit accepted : GET /healthz, medians", f"{accepted:.1f} ×")
    yield Figure("image complete : GET /healthz, medians", f"{complete:.1f} ×")


def of_stack(measured: StackCpu | None) -> Iterator[Figure]:
    if measured is not None:
        name, new_ms = "CPU of one image job through the local stack", measured.drawn_new_ms
        yield at_most(name, measured.drawn_before_ms, 130, "{:.0f} ms", detail=f" ({new_ms:.0f} new)")


def table(figures: list[Figure], caption: str) -> Table:
    """All of them, with whether they meet their targets, and why those that miss do."""
    shown = Table(caption="\n".join([caption, *_find_missed(figures)]))
    for heading in HEADINGS:
        shown.add_column(heading)
    colors = {"": "", "met": "[green]", "missed": "[red]"}
    for figure in figures:
        verdict = colors[figure.verdict] + figure.verdict
        shown.add_row(figure.name, figure.value, figure.target, verdict)
    return shown


def markdown(figures: list[Figure], caption: str) -> str:
    """The same for a page."""
    rows = [(figure.name, figure.value, figure.target, figure.verdict) for figure in figures]
    lines = ["| " + " | ".join(row) + " |" for row in (HEADINGS, ("---",) * len(HEADINGS), *rows)]
    return "\n".join([*lines, "", caption, *_find_missed(figures)])


def _find_missed(figures: list[Figure]) -> list[str]:
    return [f"{figure.name}: {figure.why}" for figure in figures if figure.met is False and figure.why]
