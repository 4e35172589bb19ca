"""The generate machine in virtual time: its Retry and Catch are read from the deployed definition."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.simulation import assumptions
from tests.simulation.kernel import Kernel
from tests.support.executions import ONE, as_caught, first_rule

Rule = Mapping[str, Any]
Step = Callable[[str, str], None]
"""What a state does. It is told the error and cause that led there, empty if none did."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One execution in one state: when it came and went, in seconds, and which state was next."""

    state: str
    entered_s: float
    left_s: float
    next_state: str


@dataclass
class Executions:
    """All executions. Errors of the class `task_error` are what Retry and Catch see; any other is a fault
    here."""

    kernel: Kernel
    task_error: type[Exception]
    visits: list[Visit] = field(default_factory=list)
    running: set[str] = field(default_factory=set)
    ended: dict[str, str] = field(default_factory=dict)
    """By name, the state at which an execution ended, `ABORTED` if it was stopped."""

    def start(self, name: str, steps: Mapping[str, Step]) -> bool:
        """Begin an execution with what its states do. False if one of that name was there before."""
        if name in self.running or name in self.ended:
            return False
        self.running.add(name)
        self.kernel.spawn(lambda: self._execute(name, steps))
        return True

    def stop(self, name: str) -> None:
        """Abort an execution before its next state; nothing if it runs no longer."""
        if name in self.running:
            self._end(name, "ABORTED")

    def _execute(self, name: str, steps: Mapping[str, Step]) -> None:
        state, error, cause = str(ONE["StartAt"]), "", ""
        while state in steps and name in self.running:
            self.kernel.sleep(assumptions.STATE_ENTERED.draw_s(self.kernel.random))
            entered_s = self.kernel.now_s
            left, (state, error, cause) = state, self._leave(state, steps[state], error, cause)
            self.visits.append(Visit(left, entered_s, self.kernel.now_s, state))
        if name in self.running:
            self._end(name, state)

    def _end(self, name: str, state: str) -> None:
        self.running.remove(name)
        self.ended[name] = state

    def _leave(self, state: str, step: Step, error: str, cause: str) -> tuple[str, str, str]:
        """Do what a state does until it is done or given up: the next state, with the error that leads
        there."""
        definition = ONE["States"][state]
        tries: Counter[int] = Counter()
        while True:
            try:
                step(error, cause)
            except self.task_error as raised:
                caught, why = as_caught(raised)
            else:
                return str(definition["Next"]), "", ""
            delay_s = self._delay_s(definition.get("Retry", []), caught, tries)
            if delay_s is None:
                catcher = first_rule(definition["Catch"], caught)
                return (str(catcher["Next"]) if catcher else "FAILED"), caught, why
            self.kernel.sleep(delay_s)

    def _delay_s(self, retriers: list[dict[str, Any]], error: str, tries: Counter[int]) -> float | None:
        """Until the next attempt, None if there is none. Every retrier counts its own attempts."""
        rule = first_rule(retriers, error)
        if rule is None or tries[id(rule)] >= rule["MaxAttempts"]:
            return None
        delay_s = min(
            rule["MaxDelaySeconds"], rule["IntervalSeconds"] * rule["BackoffRate"] ** tries[id(rule)]
        )
        tries[id(rule)] += 1
        if rule["JitterStrategy"] != "FULL":
            raise NotImplementedError(rule["JitterStrategy"])
        return float(delay_s) * self.kernel.random.random()
