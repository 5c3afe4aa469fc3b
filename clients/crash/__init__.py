"""Kills a merchant's process between its key and the answer, starts it again, and counts the charges."""
