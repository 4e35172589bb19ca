"""The command `shoal`, also `python -m shoal`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the operator's command. Exits with one line where the packages of the extra are missing."""
    try:
        from shoal.cli import app
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.partition(".")[0] == "shoal":
            raise
        sys.exit(f'shoal: {missing}. Install what the command needs: pip install "shoal[operate]"')
    app()


if __name__ == "__main__":
    main()
