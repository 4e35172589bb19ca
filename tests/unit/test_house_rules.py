"""What holds for every unit test."""

from __future__ import annotations

import socket

import pytest
from pytest_socket import SocketBlockedError


def test_no_unit_test_reaches_the_network() -> None:
    with pytest.warns(UserWarning, match="socket"), pytest.raises(SocketBlockedError):
        socket.socket()
