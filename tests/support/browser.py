"""A real browser for tests: the Chromium of `tests.setup`, driven by Playwright."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.setup.browser import chromium

WAIT_MS = 60_000
"""For anything that is to appear: two busy cores take their time."""
AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"


@contextmanager
def browser() -> Iterator[Browser]:
    """A headless Chromium; it ends with the context."""
    with sync_playwright() as playwright:
        # A container's root has no namespaces for the sandbox; the browser sees nothing but our own pages.
        started = playwright.chromium.launch(executable_path=str(chromium()), args=["--no-sandbox"])
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
