"""What holds for every test: the fixtures of the cloud, and which tests begin."""

import os

import pytest

# Powertools reads these when its module is first imported; the stack sets them on every function.
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "Shoal")
os.environ.setdefault("POWERTOOLS_SERVICE_NAME", "shoal-unit")

pytest_plugins = ["tests.support.cloud", "tests.support.logs"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests of the deployed stack, which take longest.

    `make test` deals tests out one by one (xdist's `loadgroup`, without groups): both processes always have
    work, and each boots a cloud of its own.
    """
    items.sort(key=lambda item: "cloud" not in getattr(item, "fixturenames", ()))
