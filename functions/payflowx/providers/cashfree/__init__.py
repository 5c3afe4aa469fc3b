"""Cashfree Payments (PG 2025-01-01): an order with our key, which can be terminated, then a payment of its session."""
