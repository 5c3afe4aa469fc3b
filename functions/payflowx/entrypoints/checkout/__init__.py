"""Checkout: the pages of payers."""
