"""`python -m tests.setup`: make ready what the tests need besides packages, before any of them starts.

What several test processes would each build or install is made here, under a lock. A test that is started by
itself asks the same functions, and so makes what it lacks.
"""

from __future__ import annotations

import sys

from infra.build.packages import source_packages
from tests.setup import go
from tests.setup.browser import NoBrowser, chromium


def main() -> None:
    """Prints which browser the tests use. Exits with what to install where there is none."""
    try:
        print(f"Browser: {chromium()}")
    except NoBrowser as error:
        sys.exit(str(error))
    go.build_library()
    source_packages()


if __name__ == "__main__":
    main()
