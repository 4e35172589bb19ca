"""Accounts, their keys, and who is asking."""
