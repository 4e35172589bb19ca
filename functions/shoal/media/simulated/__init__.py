"""What the simulator makes beside drawings: believable, small, the same bytes from the same seed."""
