"""AppConfig's validator: a routing document that is wrong is never deployed."""

import base64
from typing import Any, Final

from payflowx.domain.shared.errors import ConfigurationError
from payflowx.entrypoints.runtime import Wired
from payflowx.wiring.routing import RoutingValidatorWiring

wiring: Final = Wired(RoutingValidatorWiring.of_function)


def handler(event: dict[str, Any], _context: Any) -> None:
    """Raises `ConfigurationError` with every fault; AppConfig shows the message and refuses the version.

    `content` is base64, as AppConfig sends it to a Lambda validator.
    """
    faults = wiring().faults(base64.b64decode(event["content"]))
    if faults:
        raise ConfigurationError("; ".join(faults))
