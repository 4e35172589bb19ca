"""Files that callers keep here for a day."""
