"""Catalogs: read as they are published, and published without a deployment."""
