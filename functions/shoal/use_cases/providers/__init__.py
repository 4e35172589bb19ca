"""Which provider is asked for an output, how its answer comes in, and what is done when it does not."""
