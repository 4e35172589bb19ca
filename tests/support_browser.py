"""A real browser for tests: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
INSTALL = ["apt-get", "install", "--yes", "--no-install-recommends", "chromium"]
INSTALL_SECONDS_MAX = 600
WAIT_MS = 60_000
"""For anything that is to appear: two busy cores take their time."""
AXE = Path(__file__).parents[1] / "node_modules" / "axe-core" / "axe.min.js"


class NoBrowser(RuntimeError):
    """There is no Chromium, and none could be installed; the message says what to do."""


def chromium() -> str:
    """Where Chromium is; it is installed where that can be done. Raises `NoBrowser`."""
    found = _installed()
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        for command in (["apt-get", "update", "--quiet"], INSTALL):
            result = subprocess.run(  # noqa: S603 - a fixed command, no outside input
                command,
                capture_output=True,
                text=True,
                check=False,
                timeout=INSTALL_SECONDS_MAX,
                env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            )
        found = _installed()
        if found is None:
            raise NoBrowser(f"{' '.join(INSTALL)} failed:\n{result.stdout[-500:]}{result.stderr[-1000:]}")
    if found is None:
        raise NoBrowser(
            "The tests of the dashboard need Chromium: install it with `apt-get install chromium`."
        )
    return found


@contextmanager
def browser() -> Iterator[Browser]:
    """A headless Chromium; it ends with the context."""
    with sync_playwright() as playwright:
        # A container's root has no namespaces for the sandbox; the browser sees nothing but our own pages.
        started = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        try:
            yield started
        finally:
            started.close()


@contextmanager
def tab(chromium: Browser, **options: object) -> Iterator[Page]:
    """A page of its own in which nothing may go wrong unnoticed."""
    context: BrowserContext = chromium.new_context(**options)  # type: ignore[arg-type]
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "console", lambda message: wrong.append(message.text) if "Security Policy" in message.text else None
    )
    page.on("dialog", lambda dialog: dialog.accept())
    try:
        yield page
        assert wrong == []
    finally:
        context.close()


def _installed() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name))), None)
