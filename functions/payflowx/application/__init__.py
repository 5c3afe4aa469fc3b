"""Use cases, one per file. They depend on the domain and its ports, never on AWS."""
