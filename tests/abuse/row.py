"""One line of the table of abuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

HEADINGS = ("abuse", "costs the caller", "costs the stage", "ratio", "at most")


class Row(NamedTuple):
    """What one abuse costs its caller and the stage, and how much of the second may come of the first.

    `steady` is False for what the machine's clock measures, which differs from run to run.
    """

    abuse: str
    caller: float
    caller_unit: str
    stage: float
    stage_unit: str
    ratio_max: float
    steady: bool = True

    @property
    def ratio(self) -> float:
        """What one unit of the caller's costs the stage."""
        return self.stage / self.caller

    @property
    def within(self) -> bool:
        return self.ratio <= self.ratio_max

    def cells(self, *, for_page: bool = False) -> tuple[str, ...]:
        """As `HEADINGS`; a page leaves out what differs from run to run."""
        paid = f"{self.caller:,g} {self.caller_unit}"
        if for_page and not self.steady:
            return self.abuse, paid.partition(" of ")[0], self.stage_unit, "", "measured"
        return (
            self.abuse,
            paid,
            f"{self.stage:,.6g} {self.stage_unit}",
            f"{self.ratio:,.4g}",
            f"{self.ratio_max:,.4g}",
        )


Case = Callable[[], list[Row]]
