"""A mock provider in the style of Razorpay: an order, then a payment; no idempotency keys, no cancel."""
