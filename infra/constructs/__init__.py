"""A file a capability."""
