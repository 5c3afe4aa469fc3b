"""Cashfree Payments (PG 2025-01-01): an order under our key that can be terminated, then its session is paid."""
