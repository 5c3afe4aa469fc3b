"""The stacks of an environment."""
