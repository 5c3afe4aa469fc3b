"""API Gateway's own answers, as the synthesized template defines them: the local server refuses in the same words."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

_TYPE: Final = "AWS::ApiGateway::GatewayResponse"
_HEADER_PREFIX: Final = "gatewayresponse.header."

THROTTLED: Final = "THROTTLED"
TOO_LARGE: Final = "REQUEST_TOO_LARGE"
BAD_BODY: Final = "BAD_REQUEST_BODY"
FAILURE: Final = "INTEGRATION_FAILURE"
TIMEOUT: Final = "INTEGRATION_TIMEOUT"
USED: Final = (THROTTLED, TOO_LARGE, BAD_BODY, FAILURE, TIMEOUT)
"""Those that the local server gives by itself; the engine gives the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayAnswer:
    """One of API Gateway's answers. `template` may name `$context.requestId`."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    template: str = ""

    def body(self) -> bytes:
        """The template filled in for a new request."""
        return self.template.replace("$context.requestId", str(uuid.uuid4())).encode()


def gateway_answers(*templates: Mapping[str, Any]) -> dict[str, GatewayAnswer]:
    """By response type, of the merchants' API. Raises KeyError when no template has one that the local server gives.

    The payers' API has answers of the same types, which are pages and not JSON.
    """
    found = {
        resource["Properties"]["ResponseType"]: _answer(resource["Properties"])
        for template in templates
        for resource in template["Resources"].values()
        if resource["Type"] == _TYPE and not _is_page(resource["Properties"])
    }
    return {kind: found[kind] for kind in USED}


def _is_page(properties: Mapping[str, Any]) -> bool:
    content_type = properties.get("ResponseParameters", {}).get(f"{_HEADER_PREFIX}Content-Type", "")
    return "text/html" in content_type


def _answer(properties: Mapping[str, Any]) -> GatewayAnswer:
    """Header values are literals in single quotes there."""
    headers = {
        name.removeprefix(_HEADER_PREFIX): str(value).strip("'")
        for name, value in properties.get("ResponseParameters", {}).items()
    }
    return GatewayAnswer(
        status=int(properties["StatusCode"]),
        headers=headers,
        template=properties.get("ResponseTemplates", {}).get("application/json", ""),
    )
