"""Files that callers keep here for a day, and what a caller's bytes are."""
