"""Which family runs which command. To add a family: its module here."""

from types import ModuleType
from typing import Final

from payflowx.entrypoints.operators.commands import (
    approvals,
    audit_log,
    checkout,
    credentials,
    dead_letters,
    deliveries,
    disputes,
    extra_charges,
    health,
    keys,
    merchants,
    payment_details,
    payments,
    providers,
    restores,
    reviews,
    routing,
)
from payflowx.entrypoints.operators.protocol import Runners
from payflowx.wiring.operators import OperatorsWiring

FAMILIES: Final[tuple[ModuleType, ...]] = (
    merchants,
    checkout,
    keys,
    credentials,
    providers,
    routing,
    payments,
    payment_details,
    reviews,
    approvals,
    disputes,
    extra_charges,
    deliveries,
    dead_letters,
    audit_log,
    restores,
    health,
)
"""Each offers `COMMANDS`, its structs, and `run(wired, command)`."""

RUNNERS: Final[Runners[OperatorsWiring]] = {command: family.run for family in FAMILIES for command in family.COMMANDS}
