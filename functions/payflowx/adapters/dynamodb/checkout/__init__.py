"""Checkout: items beside payments."""
