"""A resolver that answers what a test tells it to."""

from __future__ import annotations

from collections.abc import Sequence


class Resolver:
    """Gives its answers in turn, the last one for ever; loopback if it has none."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.asked: list[tuple[str, int]] = []
        self._answers = list(answers or [["127.0.0.1"]])

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
