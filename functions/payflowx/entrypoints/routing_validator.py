"""AppConfig's validator: a routing document that is wrong is never deployed."""

import base64
import os
from typing import Any

from payflowx.adapters.appconfig.document import decode_routing_document
from payflowx.domain.routing.routing_check import document_faults
from payflowx.domain.shared.errors import ConfigurationError
from payflowx.providers.registry import capabilities_of


def handler(event: dict[str, Any], _context: Any) -> None:
    """Raises `ConfigurationError` with every fault; AppConfig shows the message and refuses the version.

    `content` is base64, as AppConfig sends it to a Lambda validator.
    """
    document = decode_routing_document(base64.b64decode(event["content"]))
    allowed = tuple(name for name in os.environ["ALLOWED_PROVIDERS"].split(",") if name)
    faults = document_faults(document, capabilities_of(allowed))
    if faults:
        raise ConfigurationError("; ".join(faults))
