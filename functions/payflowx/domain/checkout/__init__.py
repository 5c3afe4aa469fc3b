"""Checkout: what a payer sees and may choose."""
