"""AWS's other services, one module each."""
