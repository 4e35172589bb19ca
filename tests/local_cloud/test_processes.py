"""Background processes: found, refused, stopped."""

import os
import socket
import sys
from pathlib import Path

import pytest

from infra.local.processes import LocalCloudError, Service, free_port, require_free, run

SERVES = "import signal, sys; print('up', flush=True); signal.pause()"
DIES = "import sys; sys.exit('could not start')"


def start(service: Service, source: str) -> int:
    """Run a line of Python as the service; returns its port."""
    port = free_port()
    service.start([sys.executable, "-c", source], port=port, env=os.environ)
    return port


def test_a_running_service_is_found_by_its_file_and_stopped(tmp_path: Path) -> None:
    service = Service("thing", tmp_path)
    port = start(service, SERVES)

    found = Service("thing", tmp_path).find_process()

    assert found is not None
    assert found["port"] == port
    assert Service("thing", tmp_path).stop() == found["pid"]
    assert service.find_process() is None
    assert service.stop() is None


def test_a_pid_file_of_a_process_that_has_gone_counts_for_nothing(tmp_path: Path) -> None:
    service = Service("thing", tmp_path)
    service.pid_file.write_text(f'{{"pid": {os.getpid()}, "port": 1}}')

    assert service.find_process() is None
    assert service.stop() is None


def test_a_service_is_not_started_twice(tmp_path: Path) -> None:
    service = Service("thing", tmp_path)
    start(service, SERVES)
    try:
        with pytest.raises(LocalCloudError, match="already running"):
            start(service, SERVES)
    finally:
        service.stop()


def test_a_service_that_dies_while_starting_shows_its_log(tmp_path: Path) -> None:
    service = Service("thing", tmp_path)
    start(service, DIES)

    with pytest.raises(LocalCloudError, match=r"(?s)stopped while starting.*could not start"):
        service.wait_until(lambda: False, seconds_max=10)


def test_a_taken_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(LocalCloudError, match=f"port {port}, wanted for the front, is taken"):
            require_free(port, "front")


def test_a_program_that_fails_shows_the_end_of_its_log(tmp_path: Path) -> None:
    log = tmp_path / "program.log"

    assert run([sys.executable, "-c", "print('said')"], env=os.environ, log=log) == "said\n"
    with pytest.raises(LocalCloudError, match=r"(?s)failed.*program\.log.*could not start"):
        run([sys.executable, "-c", DIES], env=os.environ, log=log)


def test_what_a_service_leaves_behind_is_its_owner_s_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    service = Service("thing", tmp_path)
    start(service, SERVES)
    service.stop()

    assert tmp_path.stat().st_mode & 0o777 == 0o700
