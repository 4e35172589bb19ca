"""A simulated table by itself, and how tests speak to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from tests.simulation.assumptions import Limits
from tests.simulation.client import SimulatedClient
from tests.simulation.kernel import Kernel
from tests.simulation.table import SimulatedTable

Json = dict[str, Any]
ATTEMPTS_MAX = 4


class Lab:
    """A table, and what the calls made to it came to, in the order in which they ended."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.kernel = Kernel(seed=1)
        self.table = SimulatedTable(lambda: self.kernel.now_s, limits)
        self.client = SimulatedClient(self.kernel, self.table, attempts_max=ATTEMPTS_MAX)
        self.outcomes: list[Json] = []

    def call(self, operation: str, **request: Any) -> Json:
        """The answer, or the error's response."""
        return self.kernel.result_of(lambda: self._call(operation, request))

    def begin(self, operation: str, *, after_s: float = 0.0, **request: Any) -> None:
        """Have a call made while others run; its outcome is kept."""
        self.kernel.spawn(lambda: self.outcomes.append(self._call(operation, request)), after_s)

    def _call(self, operation: str, request: Json) -> Json:
        method: Callable[..., Json] = getattr(self.client, operation)
        try:
            return method(TableName="t", **request)
        except ClientError as error:
            response: Any = error.response
            return dict(response)


def key(pk: str = "A", sk: str = "ITEM") -> Json:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def put(pk: str = "A", sk: str = "ITEM", **attributes: Json) -> Json:
    """A part of a transaction."""
    return {"Put": {"TableName": "t", "Item": key(pk, sk) | attributes}}


def code_of(outcome: Json) -> str:
    """The error's name, `ok` if there is none."""
    return str(outcome.get("Error", {}).get("Code", "ok"))


def reasons_of(outcome: Json) -> list[str]:
    return [reason["Code"] for reason in outcome["CancellationReasons"]]
