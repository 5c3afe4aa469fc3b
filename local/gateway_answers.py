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
USED: Final = {THROTTLED: 429, TOO_LARGE: 413, BAD_BODY: 400, FAILURE: 504, TIMEOUT: 504}
"""Those that the local server gives by itself, with the status of API Gateway; the engine gives the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayAnswer:
    """One of API Gateway's answers. `template` may name `$context.requestId`."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    template: str = ""

    def body(self) -> bytes:
        """The template filled in for a new request."""
        return self.template.replace("$context.requestId", str(uuid.uuid4())).encode()


def gateway_answers(template: Mapping[str, Any], api_output: str) -> dict[str, GatewayAnswer]:
    """Return the answers of one API by response type. `api_output`: the output of the stack that holds the API's id.

    Raises KeyError when the API has no answer for a type that the local server gives, nor a default one.
    """
    api = template["Outputs"][api_output]["Value"]
    found = {
        resource["Properties"]["ResponseType"]: resource["Properties"]
        for resource in template["Resources"].values()
        if resource["Type"] == _TYPE and resource["Properties"]["RestApiId"] == api
    }
    return {
        kind: _answer(found.get(kind) or found[f"DEFAULT_{status // 100}XX"], status) for kind, status in USED.items()
    }


def _answer(properties: Mapping[str, Any], status: int) -> GatewayAnswer:
    """Header values are literals in single quotes there."""
    headers = {
        name.removeprefix(_HEADER_PREFIX): str(value).strip("'")
        for name, value in properties.get("ResponseParameters", {}).items()
    }
    return GatewayAnswer(
        status=int(properties.get("StatusCode", status)),
        headers=headers,
        template=properties.get("ResponseTemplates", {}).get("application/json", ""),
    )
