"""Virtual time: in order, without waiting, the same for the same seed."""

from __future__ import annotations

import pytest

from tests.simulation.kernel import EPOCH_MS, Kernel


def test_processes_run_by_their_moments_and_then_by_their_order() -> None:
    kernel, seen = Kernel(seed=1), list[tuple[str, float]]()

    def process(name: str, *waits_s: float) -> None:
        for wait_s in waits_s:
            kernel.sleep(wait_s)
            seen.append((name, kernel.now_s))

    kernel.spawn(lambda: process("slow", 3600.0))
    kernel.spawn(lambda: process("twice", 1.0, 1.0))
    kernel.spawn(lambda: process("later", 1.0), after_s=1.0)
    kernel.run()
    assert seen == [("twice", 1.0), ("later", 2.0), ("twice", 2.0), ("slow", 3600.0)]
    assert kernel.now_ms() == EPOCH_MS + 3_600_000


def test_a_run_ends_at_its_moment_and_goes_on_from_there() -> None:
    kernel, seen = Kernel(seed=1), list[float]()
    for after_s in (1.0, 5.0):
        kernel.spawn(lambda: seen.append(kernel.now_s), after_s=after_s)
    kernel.run(until_s=2.0)
    assert (seen, kernel.now_s) == ([1.0], 2.0)
    kernel.run()
    assert seen == [1.0, 5.0]


def test_what_a_process_raises_comes_out_of_the_run() -> None:
    kernel = Kernel(seed=1)

    def fails() -> None:
        kernel.sleep(1.0)
        raise LookupError("lost")

    kernel.spawn(fails)
    with pytest.raises(LookupError, match="lost"):
        kernel.run()


def test_a_result_takes_the_time_its_process_takes_and_lets_others_run() -> None:
    kernel, seen = Kernel(seed=1), list[float]()
    kernel.spawn(lambda: seen.append(kernel.now_s), after_s=1.0)

    def answer() -> int:
        kernel.sleep(2.0)
        return 42

    assert kernel.result_of(answer) == 42
    assert (seen, kernel.now_s) == ([1.0], 2.0)


def test_only_a_process_sleeps_and_nobody_waits_without_one() -> None:
    kernel = Kernel(seed=1)
    with pytest.raises(RuntimeError, match="only a process"):
        kernel.sleep(1.0)
    with pytest.raises(RuntimeError, match="no process is left"):
        kernel.step()
