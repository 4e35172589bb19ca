"""Entry point of the CDK: `cdk deploy --all -c stage=dev`."""

import os
import sys
from pathlib import Path

ENVIRONMENT = Path(__file__).resolve().parent / ".venv"


def main() -> None:
    """Synthesize, with the packages that `make` installs. Exits with one line when that can't be."""
    if not ENVIRONMENT.exists():
        sys.exit("Run `make synth` first: it installs what the stacks are made with.")
    if Path(sys.prefix).resolve() != ENVIRONMENT:
        python = str(ENVIRONMENT / "bin" / "python")
        os.execv(python, [python, *sys.argv])  # noqa: S606 - this very program, by the project's own Python
    from infra.errors import SynthesisError
    from infra.synthesis import app_of_command_line

    try:
        app_of_command_line().synth()
    except SynthesisError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
