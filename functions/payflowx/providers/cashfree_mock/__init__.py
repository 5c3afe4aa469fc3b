"""A mock provider in the style of Cashfree: an order that can be terminated, then a session; decimal major units."""
