"""Usage: by model and by day, as a page and as CSV."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import date, timedelta

from shoal.composition.dashboard import ForMembers
from shoal.domain.errors import ValidationFailed
from shoal.domain.models.tariff import Unit, whole_or_decimal
from shoal.domain.money import Asset, decimal_amount, format_amount
from shoal.handlers.web.pages import charts
from shoal.handlers.web.rendering import page
from shoal.handlers.web.visit import Page, Visit
from shoal.ports.money import Rollup

DAYS = 30
DAYS_MAX = 366
CHART_DAYS_MAX = 92
COLUMNS = ("day", "model", "asset", "units", "cost", "requests", "measured")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def show(visit: Visit[ForMembers]) -> Page:
    days, rows = _days_and_usage(visit)
    model = visit.query.get("model", "")
    shown = [row for row in rows if model in ("", row.model)]
    models: dict[tuple[str, Asset], list[int]] = defaultdict(lambda: [0, 0, 0])
    measured: dict[tuple[str, Asset], Counter[Unit]] = defaultdict(Counter)
    spent: dict[str, int] = defaultdict(int)
    for row in shown:
        total = models[row.model, row.asset]
        for place, amount in enumerate((row.requests, row.units, row.cost)):
            total[place] += amount
        measured[row.model, row.asset].update(row.by_unit)
        if row.asset.in_dollars:
            spent[row.day] += row.cost
    drawn = days[-CHART_DAYS_MAX:]
    words = {day: format_amount(Asset.USD, micros) for day, micros in spent.items()}
    return page(
        visit,
        "usage.html",
        rows=sorted(shown, key=lambda row: (row.day, row.model), reverse=True),
        models=sorted(models.items()),
        measured={of: _words(by_unit) for of, by_unit in measured.items()},
        words_of=_words,
        all_models=sorted({row.model for row in rows}),
        model=model,
        from_day=days[0],
        to_day=days[-1],
        chart=charts.bars(drawn, spent, words, "$0.00"),
        spend_total=sum(spent.values()),
        query={"from": days[0], "to": days[-1], "model": model},
    )


def show_csv(visit: Visit[ForMembers]) -> Page:
    """The same rows as a file; amounts are plain decimals, `asset` says of what."""
    days, rows = _days_and_usage(visit)
    model = visit.query.get("model", "")
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for row in rows:
        if model in ("", row.model):
            cost = decimal_amount(row.asset, row.cost)
            counts = row.units, cost, row.requests
            writer.writerow((row.day, row.model, row.asset.value, *counts, _words(row.by_unit)))
    headers = {
        "Content-Type": "text/csv; charset=utf-8",
        "Content-Disposition": f'attachment; filename="shoal-usage-{days[0]}-{days[-1]}.csv"',
    }
    return Page(200, text.getvalue(), headers)


def _words(by_unit: Mapping[Unit, int]) -> str:
    """What else was charged by than outputs: `12.5 seconds, 90 characters`."""
    counted = [(unit.words, whole_or_decimal(n)) for unit, n in by_unit.items() if n]
    return ", ".join(f"{n:,} {words}{'' if n == 1 else 's'}" for words, n in counted)


def _days_and_usage(visit: Visit[ForMembers]) -> tuple[list[str], list[Rollup]]:
    """The days, and what was used on them. Raises `ValidationFailed`."""
    standard = charts.days_until(visit.site.clock.now_ms(), DAYS)
    first = _day(visit.query.get("from", standard[0]))
    last = _day(visit.query.get("to", standard[-1]))
    if not timedelta(0) <= last - first < timedelta(days=DAYS_MAX):
        raise ValidationFailed(f"Choose at most {DAYS_MAX} days, the first one first.")
    days = [(first + timedelta(days=each)).isoformat() for each in range((last - first).days + 1)]
    return days, visit.use.look_around().usage(visit.caller, days[0], days[-1])


def _day(text: str) -> date:
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise ValidationFailed("A day has the form 2026-01-31.")
