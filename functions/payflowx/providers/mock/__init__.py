"""A mock provider with one request per charge and idempotency keys: a lost answer is requested again."""
