"""Settings of a run, from environment variables, as make sets them. Each raises `ValueError` with a sentence."""

import os

from simulation.scenarios import SCENARIOS


def whole_number(name: str, *, least: int) -> int | None:
    """A setting, if it is given: a run without seeds would look green."""
    text = os.environ.get(name) or ""
    if not text:
        return None
    if not (text.isascii() and text.isdecimal()) or int(text) < least:
        raise ValueError(f"{name} must be a whole number of at least {least}, not {text}")
    return int(text)


def scenario() -> str | None:
    """SCENARIO, if it is given."""
    name = os.environ.get("SCENARIO") or None
    if name not in {None, *SCENARIOS}:
        raise ValueError(f"no scenario {name}; there are {', '.join(SCENARIOS)}")
    return name
