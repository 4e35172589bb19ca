"""The bench tells functions what the stack tells them, and says which target is missed and why."""

from __future__ import annotations

import subprocess
import sys

import pytest
from rich.console import Console

from bench import cpu, figures
from bench.prices import Used
from bench.recorder import Call, one_after_the_other
from bench.stack import TICKS_PER_SECOND, StackCpu, ticks_of_trees
from bench.stub import ENVIRONMENT
from shoal.settings import ReadJobSettings, Settings, SubmitJobSettings, environment_variable

SPENDS = "import time\nwhile time.process_time() < 0.3: pass\nprint(flush=True)\ninput()"
"""A program that takes 0.3 s of a processor and lives on."""
STARTS_ANOTHER = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SPENDS!r}])"
NOTHING = dict.fromkeys(Used.__dataclass_fields__, 0.0)


@pytest.mark.parametrize("settings", [SubmitJobSettings, ReadJobSettings])
def test_the_functions_of_the_bench_have_all_their_settings(settings: type[Settings]) -> None:
    assert {environment_variable(field) for field in settings.model_fields} <= ENVIRONMENT.keys()


def test_a_ratio_is_that_of_windows_side_by_side() -> None:
    measured = cpu.Cpu({cpu.SHOAL: [1.0, 20.0, 3.0], cpu.BARE: [1.0, 10.0, 2.0], cpu.WEB: [2.0, 40.0, 6.0]})

    assert (measured.ratio_to(cpu.BARE), measured.ratio_to(cpu.WEB)) == (1.5, 0.5)


@pytest.mark.parametrize(
    ("transitions", "price", "verdict"), [(4, "$0.000100", "met"), (12, "$0.000300", "missed")]
)
def test_a_job_costs_what_its_parts_cost(transitions: int, price: str, verdict: str) -> None:
    used = Used(**NOTHING | {"transitions": transitions})

    (figure,) = [each for each in figures.of_job("image job", used, targets=True) if "price" in each.name]

    assert (figure.value, figure.verdict) == (price, verdict)


def test_calls_at_once_are_waited_for_as_one() -> None:
    """The first two begin together, the third after both, the last beside the third."""
    times = [(0.0, 2.0), (0.0, 1.0), (2.0, 3.0), (2.5, 4.0)]
    calls = [Call("f", "s3", "GET", began_s=began_s, ended_s=ended_s) for began_s, ended_s in times]

    assert one_after_the_other(calls) == 2


def test_a_missed_target_is_told_with_what_it_is_made_of() -> None:
    used = Used(**NOTHING | {"transitions": 12})
    console = Console(width=200)

    with console.capture() as told:
        console.print(figures.table(list(figures.of_job("image job", used, targets=True)), "load 1"))

    assert "$0.000300 for state transitions" in told.get()
    assert "missed" in told.get()


def test_a_process_is_counted_with_those_it_started() -> None:
    command = [sys.executable, "-c", STARTS_ANOTHER]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as process:  # noqa: S603 - our own script
        assert process.stdout is not None
        process.stdout.readline()
        spent_s = sum(ticks_of_trees([process.pid])) / TICKS_PER_SECOND
        process.communicate(b"\n")

    assert 0.25 < spent_s < 5


@pytest.mark.parametrize(("cpu_ms", "verdict"), [(130.0, "met"), (131.0, "missed")])
def test_a_job_may_take_130_ms_of_the_stack_if_its_picture_is_known(cpu_ms: float, verdict: str) -> None:
    (figure,) = figures.of_stack(StackCpu(drawn_before_ms=cpu_ms, drawn_new_ms=400))

    assert figure.verdict == verdict
    assert "400 new" in figure.value
