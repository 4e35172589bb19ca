"""What the Lambdas run: the code, the layers, their bytecode, and what browsers load."""
