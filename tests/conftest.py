"""What holds for every test: the fixtures of the cloud, and which tests stay together side by side."""

import os

import pytest

# Powertools reads these when its module is first imported; the stack sets them on every function.
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "Shoal")
os.environ.setdefault("POWERTOOLS_SERVICE_NAME", "shoal-unit")

pytest_plugins = ["tests.support.cloud"]

# Fixtures that take long to make, so that one process makes each and runs all tests that ask for it.
SHARED = ("cloud", "endpoint")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A group is what shares a cloud, else a file. The longest group starts first."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item)))
    items.sort(key=lambda item: _group(item) != SHARED[0])


def _group(item: pytest.Item) -> str:
    fixtures = getattr(item, "fixturenames", ())
    return next((name for name in SHARED if name in fixtures), str(item.path))
