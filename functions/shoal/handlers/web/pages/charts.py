"""Bars by day as SVG, drawn here: no library, no script, and nothing a strict policy would refuse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

HEIGHT = 100
WIDTH = 600
GAP = 0.28
"""Share of a day's width that stays empty."""
BAR_HEIGHT_MIN = 2.0


@dataclass(frozen=True, slots=True)
class Bar:
    """Place and size in the chart's units; `label` is read and shown for it."""

    x: float
    y: float
    width: float
    height: float
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    bars: tuple[Bar, ...]
    first: str
    last: str
    peak: str
    width: int = WIDTH
    height: int = HEIGHT


def days_until(now_ms: int, count: int) -> list[str]:
    """So many UTC days up to today's, `2026-01-31`."""
    today = datetime.fromtimestamp(now_ms / 1000, UTC).date()
    return [(today - timedelta(days=back)).isoformat() for back in reversed(range(count))]


def bars(days: Sequence[str], values: Mapping[str, int], words: Mapping[str, str], none: str) -> Chart:
    """A bar for each day. `words` say a value for people, `none` the value of a day without one."""
    peak = max([values.get(day, 0) for day in days], default=0)
    step = WIDTH / max(1, len(days))
    drawn = []
    for index, day in enumerate(days):
        value = values.get(day, 0)
        height = max(BAR_HEIGHT_MIN, HEIGHT * value / peak) if value else 0.0
        label = f"{_day_label(day)}: {words.get(day, none)}"
        x = index * step + step * GAP / 2
        drawn.append(
            Bar(round(x, 2), round(HEIGHT - height, 2), round(step * (1 - GAP), 2), round(height, 2), label)
        )
    best = max(days, key=lambda day: values.get(day, 0), default="")
    return Chart(
        tuple(drawn),
        _day_label(days[0]) if days else "",
        _day_label(days[-1]) if days else "",
        peak=words.get(best, none),
    )


def _day_label(day: str) -> str:
    """`22 Nov`."""
    return f"{date.fromisoformat(day):%-d %b}"
