"""Appconfig."""
