"""What stops a synthesis: the message is for the person at the terminal, who needs no traceback."""


class SynthesisError(Exception):
    """Nothing was synthesized; the message says what is wrong and what to do."""
