"""The settings that a function reads from its environment once, at its start. Only `wiring` reads the environment."""

import os
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, Final, Self, get_type_hints

from payflowx.domain.shared.errors import ConfigurationError

_PARSERS: Final[Mapping[Any, Callable[[str], Any]]] = {
    str: str,
    int: int,
    bool: lambda text: text == "true",
    tuple[str, ...]: lambda text: tuple(part for part in text.split(",") if part),
}


def function_environment() -> Mapping[str, str]:
    """The process's own. Lambda writes each invocation's trace into it."""
    return os.environ


def is_function() -> bool:
    """Whether Lambda runs this process, and not a test or a tool that imports a handler."""
    return "AWS_LAMBDA_FUNCTION_NAME" in os.environ


@dataclass(frozen=True, kw_only=True)
class Settings:
    """A field `jobs_queue_url` is the variable `JOBS_QUEUE_URL`; one with a default may be left out."""

    environment: str
    powertools_metrics_namespace: str
    locked_versions: tuple[str, ...] = ()
    """`name=version` of the libraries that a deployed function must have."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Raises `ConfigurationError` with every name that is missing or has no valid value."""
        missing = sorted(cls.required() - environment.keys())
        if missing:
            raise ConfigurationError(f"environment variables are not set: {', '.join(missing)}")
        types, values, invalid = get_type_hints(cls), {}, []
        for field in fields(cls):
            variable = field.name.upper()
            if variable not in environment:
                continue
            try:
                values[field.name] = _PARSERS[types[field.name]](environment[variable])
            except ValueError:
                invalid.append(variable)
        if invalid:
            raise ConfigurationError(f"environment variables have no valid value: {', '.join(sorted(invalid))}")
        return cls(**values)

    @classmethod
    def required(cls) -> frozenset[str]:
        """The variables without which the function does not start."""
        return frozenset(field.name.upper() for field in fields(cls) if field.default is MISSING)

    @classmethod
    def known(cls) -> frozenset[str]:
        """All variables that the function reads."""
        return frozenset(field.name.upper() for field in fields(cls))
