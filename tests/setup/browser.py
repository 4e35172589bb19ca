"""The browser of the tests: where one is, or made ready by the first process that asks."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from infra.one_at_a_time import one_at_a_time
from tests.setup import apt, npm_browser

CHOICE = "SHOAL_BROWSER"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PACKAGE = "chromium"
START_SECONDS_MAX = 60
LOCK = npm_browser.ROOT / ".local" / "browser.lock"
ADVICE = f"""The tests of the dashboard need Chromium, and none could be made ready. Do one of these:
  install it as root: `apt-get install {PACKAGE}`, or your system's package of Chromium or Chrome
  set {CHOICE} to the path of a Chromium or Chrome
What was tried:"""


class NoBrowser(RuntimeError):
    """There is no Chromium, and none could be made ready; the message says what to do."""


def chromium() -> Path:
    """Where a Chromium is that starts. Raises `NoBrowser`.

    It is the one that SHOAL_BROWSER names, one on PATH, one unpacked earlier, the system's package, or that
    of an npm package. The last two are made ready here, while other processes that ask wait for them.
    """
    if chosen := os.environ.get(CHOICE):
        if wrong := _wrong_with(Path(chosen)):
            raise NoBrowser(f"{CHOICE} is {chosen}, which does not start: {wrong}")
        return Path(chosen)
    with one_at_a_time(LOCK):
        return _at_hand() or _made_ready()


def _at_hand() -> Path | None:
    return next((path for path in _candidates() if not _wrong_with(path)), None)


def _candidates() -> Iterator[Path]:
    yield from _on_path()
    if (unpacked := npm_browser.executable()).exists():
        yield unpacked


def _on_path() -> Iterator[Path]:
    return (Path(found) for name in NAMES if (found := shutil.which(name)))


def _made_ready() -> Path:
    tried = []
    for make in (_from_system, npm_browser.unpack):
        try:
            made = make()
        except (apt.AptFailed, npm_browser.NpmFailed) as error:
            tried.append(str(error))
            continue
        if not (wrong := _wrong_with(made)):
            return made
        tried.append(f"{made} does not start: {wrong}")
    raise NoBrowser("\n  ".join([ADVICE, *tried]))


def _from_system() -> Path:
    apt.install(PACKAGE)
    if found := next(_on_path(), None):
        return found
    raise apt.AptFailed(f"the package {PACKAGE} brought no browser")


def _wrong_with(browser: Path) -> str | None:
    """Why it does not start, None if it does. Ubuntu has such a file that only says what to install."""
    try:
        subprocess.run(  # noqa: S603 - a browser of this machine's owner
            [browser, "--version"], capture_output=True, text=True, check=True, timeout=START_SECONDS_MAX
        )
    except subprocess.CalledProcessError as error:
        return error.stderr.strip() or str(error)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return None
