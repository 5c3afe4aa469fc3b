"""A provider of one request a charge, with idempotency keys: a lost answer is asked for again."""
