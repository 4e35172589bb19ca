"""Models as data: what a model takes, what it costs, and how a provider is asked for it."""
