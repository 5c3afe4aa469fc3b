"""Stripe: a PaymentIntent is created and confirmed in one request; idempotency keys; a cancel that is read back."""
