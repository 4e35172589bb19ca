"""Processes that end with the one that started them, however that one ends.

This text also begins the script of a Lambda's worker, which imports nothing of this project.
"""

import os
import select
import threading


def end_with_parent() -> None:
    """End this process, whatever it is doing, once nobody holds the other end of its standard input.

    Without a pipe there it goes on.
    """
    threading.Thread(target=_wait_for_hangup, daemon=True).start()


def _wait_for_hangup() -> None:
    parent = select.poll()
    parent.register(0, 0)  # hang-ups are told unasked, and input is for others to read
    if parent.poll()[0][1] & select.POLLHUP:
        os._exit(1)
