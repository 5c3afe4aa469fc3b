"""Disputes: the list of those that await evidence, and the warning before their deadlines."""
