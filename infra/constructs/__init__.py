"""The parts of the stack, one file each. A part is told what it needs and knows nothing of the others."""
