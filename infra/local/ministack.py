"""The local cloud's server: MiniStack with the project's mends.

Run by `python -m infra.local.ministack`, with the environment that `cloud.server_environment` gives.
"""

import sys

from infra.local import mends


def main() -> None:
    """Serve until SIGTERM. Exits with an error message when the mends don't fit the installed MiniStack."""
    try:
        mends.apply()
    except (mends.WrongMinistack, mends.MendDoesNotFit) as error:
        sys.exit(f"local cloud: {error}")
    from ministack.app import main as serve  # type: ignore[import-untyped]

    sys.argv = ["ministack"]
    serve()


if __name__ == "__main__":
    main()
