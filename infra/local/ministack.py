"""The local cloud's server: MiniStack with the project's patches.

Run by `python -m infra.local.ministack`, with the environment that `cloud.server_environment` gives.
"""

import sys

from infra.local import patches


def main() -> None:
    """Serve until SIGTERM. Exits with an error message when the patches don't fit the installed MiniStack."""
    try:
        patches.apply()
    except (patches.WrongMinistack, patches.PatchDoesNotFit) as error:
        sys.exit(f"local cloud: {error}")
    from ministack.app import main as serve  # type: ignore[import-untyped]

    sys.argv = ["ministack"]
    serve()


if __name__ == "__main__":
    main()
