"""The REQUEST authorizer: from the Authorization header to a merchant."""

from collections.abc import Mapping
from typing import Any, Final

from payflowx.entrypoints.runtime import Wired
from payflowx.wiring.merchants import AuthorizerWiring

wiring: Final = Wired(AuthorizerWiring.of_function)
_OTHERS: Final = "*"
"""In place of a merchant: all that have no usage plan of their own."""


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Allow with the merchant in the context, or deny; API Gateway turns a denial into 401.

    The policy covers the whole API: API Gateway caches it by the header's value, and one that named only the method
    at hand would deny the next one.
    """
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    wired = wiring()
    merchant_id = wired.authenticate(headers.get("authorization", ""))
    return _policy(event["methodArn"], merchant_id) | _usage(wired.usage_identifiers, merchant_id)


def _policy(method_arn: str, merchant_id: str | None) -> dict[str, Any]:
    api_arn, stage = method_arn.split("/")[:2]
    report_page = {
        "Action": "execute-api:Invoke",
        "Effect": "Deny" if merchant_id is None else "Allow",
        "Resource": f"{api_arn}/{stage}/*",
    }
    return {
        "principalId": merchant_id or "nobody",
        "policyDocument": {"Version": "2012-10-17", "Statement": [report_page]},
        "context": {} if merchant_id is None else {"merchantId": merchant_id},
    }


def _usage(identifiers: Mapping[str, str], merchant_id: str | None) -> dict[str, str]:
    """Which usage plan counts the request. API Gateway caches it with the policy, and still counts every request."""
    if merchant_id is None or not identifiers:
        return {}
    return {"usageIdentifierKey": identifiers.get(merchant_id, identifiers[_OTHERS])}
