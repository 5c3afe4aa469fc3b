"""Use cases, a file each. They know the domain and its ports, nothing of AWS."""
