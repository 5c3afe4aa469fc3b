"""Checkout: the use cases of a payer."""
