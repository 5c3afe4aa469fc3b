"""Settings of a command, from environment variables: `make run API_CONCURRENCY=8` sets one."""

import os

from local.errors import LocalEnvironmentError


def whole_number(name: str, *, default: int, least: int, most: int) -> int:
    """Raises `LocalEnvironmentError` for a value that is no whole number or is out of bounds."""
    text = os.environ.get(name) or str(default)
    if not text.isdecimal() or not least <= int(text) <= most:
        raise LocalEnvironmentError(f"{name} must be a whole number from {least} to {most}.")
    return int(text)
