"""Judges a run from outside. Written from the design's invariants; knows none of the code that it judges."""
