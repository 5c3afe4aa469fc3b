"""Razorpay: an order, then its payment; no idempotency keys for charges, no cancel, failures that may reopen."""
