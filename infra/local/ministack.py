"""The local cloud's server: MiniStack with the project's patches, behind the guard.

Run by `python -m infra.local.ministack`, with the environment that `cloud.server_environment` gives.
"""

import sys
from collections.abc import Callable

from hypercorn.typing import ASGIFramework

from infra.local import patches
from infra.local.lifeline import end_with_parent


def main(around: Callable[[ASGIFramework], ASGIFramework] = lambda emulator: emulator) -> None:
    """Serve until SIGTERM. Exits with an error message when the patches don't fit the installed MiniStack.

    `around` is put between the emulator and the guard.
    """
    end_with_parent()
    try:
        patches.apply()
    except (patches.WrongMinistack, patches.PatchDoesNotFit) as error:
        sys.exit(f"local cloud: {error}")
    # Imported late: the patches come first, and refuse another version with a clearer error.
    from ministack import app as emulator  # type: ignore[import-untyped]

    from infra.local.guard import Guard

    emulator.app = Guard(around(emulator.app))
    sys.argv = ["ministack"]
    emulator.main()


if __name__ == "__main__":
    main()
