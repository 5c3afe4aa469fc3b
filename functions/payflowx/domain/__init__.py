"""The rules of payments.

Standard library only: no AWS, no clock, no randomness, no environment.
"""
