"""Designs that were measured and not built."""
