"""Fixtures of the deployed stack."""

from tests.support_fixtures import customer, deployed, filmmaker

__all__ = ["customer", "deployed", "filmmaker"]
