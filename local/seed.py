"""The demo merchant: created through the operators' function, as an operator would create it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from local.engine import Engine
from local.errors import LocalEnvironmentError
from local.simulators import SandboxAccount

MERCHANT_ID: Final = "demo"
_SECRETS: Final = "payflowx/dev/accounts/"
_PATHS: Final = {"cashfree": "/pg"}
"""The part of the real provider's address that its requests do not repeat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeededMerchant:
    """The API key, and by provider the path below the API's address that takes its webhooks."""

    api_key: str
    webhook_paths: dict[str, str]


def seed_merchant(
    engine: Engine, operations_function: str, addresses: Mapping[str, str], accounts: Mapping[str, SandboxAccount]
) -> SeededMerchant:
    """An account at every provider; equal credentials share a secret. Raises `LocalEnvironmentError`."""
    arns = _store(engine, accounts)
    command = {
        "command": "create_merchant",
        "merchantId": MERCHANT_ID,
        "name": "Demo merchant",
        "operator": "the local environment",
        "reason": "Demo merchant of the local environment",
        "accounts": [
            {
                "provider": name,
                "accountId": "sandbox",
                "endpoint": address + _PATHS.get(name, ""),
                "secretArn": arns[accounts[name]],
            }
            for name, address in addresses.items()
        ],
    }
    result = _invoke(engine, operations_function, command)
    if not result.get("ok"):
        raise LocalEnvironmentError(f"The demo merchant could not be created: {json.dumps(result)[:500]}")
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
