"""Stripe: a PaymentIntent that is confirmed as it is created; idempotency keys, and a cancel that can be read back."""
