"""A job from the submit to its end: held, started, stored, settled or released, and announced."""
