"""Fixtures of the deployed stack."""

from tests.support_fixtures import customer, deployed

__all__ = ["customer", "deployed"]
