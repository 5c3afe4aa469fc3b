"""The oldest TLS that our APIs take under API Gateway's own addresses."""

from typing import Final, cast

from aws_cdk import aws_apigateway as apigateway

_FLOOR: Final = "SecurityPolicy_TLS13_1_2_PQ_2025_09"
"""TLS 1.3, and 1.2 with its modern ciphers; no older one."""


def require_new_tls(api: apigateway.RestApi) -> None:
    """Without a policy of its own an API's address also takes TLS 1.0."""
    resource = cast("apigateway.CfnRestApi", api.node.default_child)
    resource.security_policy = _FLOOR
    # STRICT would refuse clients whose proxies send another name in the handshake than in the request.
    resource.endpoint_access_mode = "BASIC"
