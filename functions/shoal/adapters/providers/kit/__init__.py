"""What the adapters of several providers share."""
