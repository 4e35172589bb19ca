"""What the dashboard begins with: money, the last thirty days, the latest jobs."""

from __future__ import annotations

import hashlib
from collections import defaultdict

from shoal.composition.dashboard import ForMembers
from shoal.domain.money import Asset, format_amount
from shoal.handlers.web.pages import charts
from shoal.handlers.web.rendering import page
from shoal.handlers.web.shown import cards
from shoal.handlers.web.visit import Context, Page, Visit
from shoal.ports.jobs import JobFilter
from shoal.ports.money import Rollup

DAYS = 30
LATEST = 6
BUSY_S, IDLE_S = 2, 5
"""How often the page looks again: while jobs are open, and while none are."""


def show(visit: Visit[ForMembers]) -> Page:
    days = charts.days_until(visit.site.clock.now_ms(), DAYS)
    used = visit.use.look_around().usage(visit.caller, days[0], days[-1])
    has_keys = bool(visit.use.look_around().used_keys(visit.caller))
    return page(visit, "overview.html", **_charts(days, used), has_keys=has_keys, **_live(visit))


def show_live(visit: Visit[ForMembers]) -> Page:
    """204, and nothing is redrawn, while all is as the browser has it."""
    context = _live(visit)
    if context["seen"] == visit.query.get("seen"):
        return Page(204)
    return page(visit, "overview_live.html", **context)


def _live(visit: Visit[ForMembers]) -> Context:
    caller = visit.caller
    jobs = visit.use.list_jobs()(caller, JobFilter(), limit=LATEST, cursor=None).jobs
    context: Context = {
        "usd": visit.use.read_wallet()(caller, Asset.USD),
        "credit": visit.use.read_wallet()(caller, Asset.CREDIT),
        "jobs": cards(visit.site, jobs),
        "pause_s": BUSY_S if any(not job.status.terminal for job in jobs) else IDLE_S,
    }
    state = [context["usd"], context["credit"], [(job.id, job.status) for job in jobs]]
    # Signed addresses change with every look; what is new is told by what they stand for.
    context["seen"] = hashlib.sha256(repr(state).encode()).hexdigest()[:16]
    return context


def _charts(days: list[str], used: list[Rollup]) -> Context:
    spent: dict[str, int] = defaultdict(int)
    credits_spent: dict[str, int] = defaultdict(int)
    jobs: dict[str, int] = defaultdict(int)
    for rollup in used:
        jobs[rollup.day] += rollup.requests
        (spent if rollup.asset.in_dollars else credits_spent)[rollup.day] += rollup.cost
    dollars = {day: format_amount(Asset.USD, micros) for day, micros in spent.items()}
    counts = {day: f"{count} job{'' if count == 1 else 's'}" for day, count in jobs.items()}
    return {
        "spend": charts.bars(days, spent, dollars, "$0.00"),
        "spend_total": sum(spent.values()),
        "credits_total": sum(credits_spent.values()),
        "jobs_chart": charts.bars(days, jobs, counts, "0 jobs"),
        "jobs_total": sum(jobs.values()),
    }
