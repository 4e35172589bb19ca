"""`python -m bench.worker MODULE`: calls a function's handler as often as it is told to.

A line with a number of calls comes in, a line with the CPU seconds they took (user and system) goes out.
What the handler prints goes nowhere: it is written, as on Lambda, and nobody has to read it.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time

TIME_LEFT_MS = 15_000


class Context:
    """What Lambda tells a handler beside the event, as far as ours asks."""

    aws_request_id = "8476a536-e9f4-11e8-9739-2dfe598c3fcd"
    function_name = "bench"

    def get_remaining_time_in_millis(self) -> int:
        return TIME_LEFT_MS


def main() -> None:
    """Ends with its input. A handler that does not answer with success ends it at once."""
    with os.fdopen(os.dup(1), "w") as told:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        event = json.loads(os.environ["SHOAL_BENCH_EVENT"])
        handler = importlib.import_module(sys.argv[1]).handler
        for line in sys.stdin:
            started = time.process_time()
            for _ in range(int(line)):
                answer = handler(event, Context())
            took_s = time.process_time() - started
            if answer["statusCode"] >= 300:
                sys.exit(f"{sys.argv[1]}: {answer}")
            print(took_s, file=told, flush=True)


if __name__ == "__main__":
    main()
