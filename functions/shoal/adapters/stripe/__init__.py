"""Stripe: its keys, and what it knows of payments."""
