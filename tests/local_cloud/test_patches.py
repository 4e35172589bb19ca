"""The patches hold for one MiniStack."""

from importlib.metadata import version

import pytest

from infra.local.patches import MINISTACK_VERSION, WrongMinistack, require_version


def test_the_patches_fit_the_installed_ministack() -> None:
    require_version(version("ministack"))


def test_another_ministack_is_refused_with_a_clear_error() -> None:
    with pytest.raises(WrongMinistack, match=f"MiniStack 1.6.0 is installed.*{MINISTACK_VERSION}"):
        require_version("1.6.0")
