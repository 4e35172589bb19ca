"""The patches of Lambda."""

import time
from concurrent.futures import ThreadPoolExecutor

from infra.local.patches.functions import WORKERS_PER_FUNCTION_MAX
from tests.local_cloud.lab import Lab

RAISES = """
import os
class ProviderBusy(Exception): pass
def handler(event, context):
    if event == "raise": raise ProviderBusy("come back later")
    return os.getpid()
"""
SILENT = "def handler(event, context): return event"
LOGS = """
def handler(event, context):
    print("said this")
    raise ValueError("and failed")
"""
BUSY = """
import os, time
def handler(event, context):
    time.sleep(0.3)
    return os.getpid()
"""


def test_an_exception_keeps_the_name_of_its_class(lab: Lab) -> None:
    answer = lab.invoke(lab.function(RAISES), "raise")

    assert answer["error"] == "Unhandled"
    assert answer["body"]["errorType"] == "ProviderBusy"
    assert answer["body"]["errorMessage"] == "come back later"
    assert answer["body"]["requestId"]
    assert "raise ProviderBusy" in answer["body"]["stackTrace"][-1]


def test_a_worker_outlives_an_exception(lab: Lab) -> None:
    function = lab.function(RAISES)
    before = lab.invoke(function)["body"]

    lab.invoke(function, "raise")

    assert lab.invoke(function)["body"] == before


def test_a_function_that_logs_nothing_is_not_waited_for(lab: Lab) -> None:
    function = lab.function(SILENT)
    lab.invoke(function)
    seconds = []
    for _ in range(10):
        started = time.perf_counter()
        lab.invoke(function)
        seconds.append(time.perf_counter() - started)

    assert min(seconds) < 0.045, "an invocation took the 50 ms that MiniStack waits for logs"


def test_what_a_function_logs_reaches_its_log_group(lab: Lab) -> None:
    function = lab.function(LOGS)
    lab.invoke(function)

    logs = lab.endpoint.client("logs")
    events = logs.filter_log_events(logGroupName=f"/aws/lambda/{function.rpartition(':')[2]}")["events"]

    lines = "\n".join(event["message"] for event in events)
    assert "said this" in lines
    assert "ValueError: and failed" in lines
    assert "\0" not in lines


def test_concurrent_calls_share_few_workers(lab: Lab) -> None:
    function = lab.function(BUSY)

    with ThreadPoolExecutor(12) as pool:
        workers = set(pool.map(lambda _: lab.invoke(function)["body"], range(12)))

    assert 1 < len(workers) <= WORKERS_PER_FUNCTION_MAX
