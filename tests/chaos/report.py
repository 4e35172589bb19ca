"""What the chaos came to, and whether it kept the promises."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.table import Table

from tests.chaos.orders import Order

IMAGE_SECONDS_MAX = 240.0


@dataclass(frozen=True)
class Report:
    """`untold` are jobs without just one terminal event on the bus, `undelivered` those without just one at
    the webhook. `discrepancies` are the audit's.
    """

    orders: Sequence[Order]
    untold: Sequence[str]
    undelivered: Sequence[str]
    discrepancies: int
    dead_letters: Mapping[str, int]
    kills: Counter[str]
    pauses: Counter[str]
    faults: Counter[str]

    @property
    def slowest_image_s(self) -> float:
        return max((order.seconds for order in self.orders if order.kind.image), default=0.0)

    @property
    def problems(self) -> list[str]:
        """A line for each broken promise."""
        found = [
            f"{order.name} {order.job_id}: {order.problem or order.status}"
            for order in self.orders
            if order.failed_unasked
        ]
        found += [f"{job}: not exactly one end on the bus" for job in self.untold]
        found += [f"{job}: not exactly one end at the webhook" for job in self.undelivered]
        if self.discrepancies:
            found.append(f"the audit finds {self.discrepancies} discrepancies")
        if self.slowest_image_s > IMAGE_SECONDS_MAX:
            found.append(f"an image took {self.slowest_image_s:.0f} s")
        return found

    def table(self) -> Table:
        """The figures, one a line."""
        table = Table("", "", title="Chaos")
        ended = Counter(order.status or "not ended" for order in self.orders)
        failed = sum(order.failed_unasked for order in self.orders)
        rows: list[tuple[str, object]] = [
            ("orders", f"{len(self.orders)}: {_counted(Counter(order.name for order in self.orders))}"),
            ("ended", _counted(ended)),
            ("failed that nobody asked to (must be 0)", failed),
            ("without exactly one end on the bus (must be 0)", len(self.untold)),
            ("without exactly one end at the webhook (must be 0)", len(self.undelivered)),
            ("discrepancies of the audit (must be 0)", self.discrepancies),
            (f"slowest image (at most {IMAGE_SECONDS_MAX:.0f} s)", f"{self.slowest_image_s:.0f} s"),
            ("dead letters", _counted(Counter(self.dead_letters))),
            ("kills", f"{self.kills.total()}: {_counted(self.kills)}"),
            ("pauses", f"{self.pauses.total()}: {_counted(self.pauses)}"),
            ("faults", f"{self.faults.total()}: {_counted(self.faults)}"),
        ]
        for name, value in rows:
            table.add_row(name, str(value))
        return table


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "none"
