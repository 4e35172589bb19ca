"""Orders of all kinds on a deployed stack, while its workers are killed and paused and AWS fails."""
