"""HTTP to addresses that callers and subscribers choose, and addresses that lead back to us."""
