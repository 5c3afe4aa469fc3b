"""A merchant to try things with: created by the operations function, as an operator would."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from local.engine import Engine
from local.errors import StageError
from local.simulators import SandboxAccount

MERCHANT_ID: Final = "demo"
_SECRETS: Final = "payflowx/dev/accounts/"
_PATHS: Final = {"cashfree": "/pg"}
"""What belongs to the vendor's address rather than to its requests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeededMerchant:
    """The API key, and below the API's address where each gateway is to post to."""

    api_key: str
    webhook_paths: dict[str, str]


def seed_merchant(
    engine: Engine, operations_function: str, gateways: Mapping[str, str], accounts: Mapping[str, SandboxAccount]
) -> SeededMerchant:
    """An account at every gateway; equal credentials share a secret."""
    arns = _store(engine, accounts)
    command = {
        "command": "create_merchant",
        "merchantId": MERCHANT_ID,
        "name": "Demo merchant",
        "operator": "the local stage",
        "reason": "A merchant to try things with",
        "accounts": [
            {
                "provider": name,
                "accountId": "sandbox",
                "endpoint": address + _PATHS.get(name, ""),
                "secretArn": arns[accounts[name]],
            }
            for name, address in gateways.items()
        ],
    }
    result = _invoke(engine, operations_function, command)
    if not result.get("ok"):
        raise StageError(f"The demo merchant could not be created: {json.dumps(result)[:500]}")
    paths = {webhook["provider"]: webhook["path"] for webhook in result["webhooks"]}
    return SeededMerchant(api_key=result["apiKey"], webhook_paths=paths)


def _store(engine: Engine, accounts: Mapping[str, SandboxAccount]) -> dict[SandboxAccount, str]:
    manager = engine.client("secretsmanager")
    users = {account: [name for name in accounts if accounts[name] == account] for account in accounts.values()}
    arns = {}
    for account, names in users.items():
        name = _SECRETS + (names[0] if len(names) == 1 else "sandbox")
        arns[account] = manager.create_secret(Name=name, SecretString=json.dumps(account.fields()))["ARN"]
    return arns


def _invoke(engine: Engine, function: str, command: Mapping[str, Any]) -> dict[str, Any]:
    name, _, qualifier = function.partition(":")
    answer = engine.client("lambda").invoke(FunctionName=name, Qualifier=qualifier, Payload=json.dumps(command))
    result: dict[str, Any] = json.loads(answer["Payload"].read())
    return result
