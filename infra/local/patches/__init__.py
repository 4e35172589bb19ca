"""What MiniStack does otherwise than AWS, put right where Shoal depends on it.

Every patch wraps one function of MiniStack and states the AWS behaviour it restores; `tests/local_cloud`
shows each of them against a booted cloud. MiniStack has no interface for patches, so they fit one version
only.
"""

from importlib.metadata import version

MINISTACK_VERSION = "1.5.33"


class WrongMinistack(Exception):
    """The MiniStack installed is not the one the patches were written for."""


class PatchDoesNotFit(Exception):
    """A piece of MiniStack's source that a patch replaces is not there."""


def apply() -> None:
    """Patch the MiniStack of this process. Raises `WrongMinistack` and `PatchDoesNotFit`."""
    require_version(version("ministack"))
    # Imported late: loading the modules of another version could fail with a less clear error.
    from infra.local.patches import (
        buses,
        functions,
        gateway,
        identity,
        maps,
        metrics,
        outputs,
        queues,
        stacks,
        workflows,
    )

    for area in (functions, gateway, identity, maps, metrics, outputs, queues, buses, stacks, workflows):
        area.apply()


def require_version(installed: str) -> None:
    """Refuse every MiniStack but the one that was tried. Raises `WrongMinistack`."""
    if installed != MINISTACK_VERSION:
        raise WrongMinistack(
            f"MiniStack {installed} is installed, but infra/local/patches is for {MINISTACK_VERSION}: "
            f"run `uv sync --locked`, or check every patch against {installed}"
        )
