"""Fixtures of the deployed stack."""

from tests.support.fixtures import customer, deployed, filmmaker

__all__ = ["customer", "deployed", "filmmaker"]
