"""What was measured and not built."""
