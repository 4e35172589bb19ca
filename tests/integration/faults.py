"""A DynamoDB client that fails as the service or the network may: before a call, or after it was done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError

from shoal.adapters.dynamodb.table import Table

Json = dict[str, Any]
MakeError = Callable[[Json], Exception]


def service_error(code: str, operation: str = "TransactWriteItems") -> MakeError:
    """The service refuses the call."""
    return lambda _: ClientError({"Error": {"Code": code, "Message": ""}}, operation)


def canceled(code: str, *parts: int) -> MakeError:
    """The service cancels the transaction because of these parts of it; -1 is the last."""
    return canceled_by(dict.fromkeys(parts, code))


def canceled_by(codes: Mapping[int, str]) -> MakeError:
    """The service cancels the transaction for several reasons, each by its part."""

    def make(arguments: Json) -> Exception:
        count = len(arguments["TransactItems"])
        blamed = {part % count: code for part, code in codes.items()}
        response: Any = {
            "Error": {"Code": "TransactionCanceledException", "Message": ""},
            "CancellationReasons": [{"Code": blamed.get(part, "None")} for part in range(count)],
        }
        return ClientError(response, "TransactWriteItems")

    return make


def timed_out(_: Json) -> Exception:
    """No answer came."""
    return ReadTimeoutError(endpoint_url="https://dynamodb.test")


@dataclass
class FaultyClient:
    """Lets `error` strike the next `times` calls of `operation`. `after`: only their replies are lost."""

    client: Any
    operation: str
    error: MakeError
    times: int = 1
    after: bool = False
    struck: int = field(default=0, init=False)

    def __getattr__(self, name: str) -> Any:
        call = getattr(self.client, name)
        return self._faulty(call) if name == self.operation else call

    def _faulty(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def faulty(**arguments: Any) -> Any:
            if self.struck >= self.times:
                return call(**arguments)
            self.struck += 1
            if self.after:
                call(**arguments)
            raise self.error(arguments)

        return faulty


@dataclass
class Pauses:
    """Stands for `time.sleep`: remembers the pauses, in seconds, and makes none."""

    made_s: list[float] = field(default_factory=list)

    def __call__(self, seconds: float) -> None:
        self.made_s.append(seconds)


def table_over(table: Table, client: Any, pauses: Pauses | None = None) -> Table:
    """The same table, reached through another client. Pauses are the longest possible, and not made."""
    return Table(client, table._name, sleep=pauses or Pauses(), jitter=lambda: 1.0)


def faulty(
    table: Table,
    operation: str,
    error: MakeError,
    *,
    times: int = 1,
    after: bool = False,
    pauses: Pauses | None = None,
) -> Table:
    """The same table over a faulty client."""
    return table_over(table, FaultyClient(table._client, operation, error, times, after), pauses)


class Counting:
    """A DynamoDB client that counts its calls."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        self.calls.append(name)
        return getattr(self._client, name)
