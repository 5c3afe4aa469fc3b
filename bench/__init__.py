"""Counts, not times: calls to AWS, bytes written, modules imported. The same on every machine."""
