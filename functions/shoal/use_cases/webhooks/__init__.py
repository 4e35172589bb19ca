"""Subscriptions, their secrets, and the deliveries of events to them."""
