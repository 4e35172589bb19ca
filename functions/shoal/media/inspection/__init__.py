"""What outputs turn out to be: measured and checked, by their bytes alone."""
