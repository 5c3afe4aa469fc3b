"""Razorpay: an order, then its payment; no idempotency keys for charges, no way to cancel, failures that may reopen."""
