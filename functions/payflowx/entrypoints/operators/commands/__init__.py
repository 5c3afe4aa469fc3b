"""Operators' commands, a family a file. To add one: its module here."""

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, Final

from payflowx.bootstrap import Container
from payflowx.entrypoints.operators.commands import audit_log as audit_log
from payflowx.entrypoints.operators.commands import (
    credentials,
    dead_letters,
    health,
    keys,
    merchants,
    payments,
    providers,
    reviews,
    routing,
)

FAMILIES: Final[tuple[ModuleType, ...]] = (
    merchants,
    keys,
    credentials,
    providers,
    routing,
    payments,
    reviews,
    dead_letters,
    audit_log,
    health,
)
"""Each offers `COMMANDS`, its structs, and `run(container, command)`."""

RUNNERS: Final[Mapping[type, Callable[[Container, Any], dict[str, Any]]]] = {
    command: family.run for family in FAMILIES for command in family.COMMANDS
}
