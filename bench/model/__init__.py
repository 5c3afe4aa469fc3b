"""AWS as the suite runs on it: in memory, with a meter that counts what AWS would bill."""
