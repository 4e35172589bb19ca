"""Shoal: an asynchronous generation API on your own AWS account."""
