"""A merchant to try things with: created by the operations function, as an operator would."""

import json
from collections.abc import Mapping
from typing import Final

from local.engine import Engine
from local.errors import StageError
from local.gateways import SandboxCredentials

MERCHANT_ID: Final = "demo"
_SECRET: Final = "payflowx/dev/accounts/sandbox"  # noqa: S105 - a name


def seed_merchant(
    engine: Engine, operations_function: str, gateways: Mapping[str, str], credentials: SandboxCredentials
) -> str:
    """The API key."""
    text = json.dumps({"keyId": credentials.key_id, "keySecret": credentials.key_secret})
    arn = engine.client("secretsmanager").create_secret(Name=_SECRET, SecretString=text)["ARN"]
    command = {
        "command": "create_merchant",
        "merchantId": MERCHANT_ID,
        "name": "Demo merchant",
        "operator": "the local stage",
        "reason": "A merchant to try things with",
        "accounts": [
            {"provider": name, "accountId": "sandbox", "endpoint": address, "secretArn": arn}
            for name, address in gateways.items()
        ],
    }
    name, _, qualifier = operations_function.partition(":")
    answer = engine.client("lambda").invoke(FunctionName=name, Qualifier=qualifier, Payload=json.dumps(command))
    result = json.loads(answer["Payload"].read())
    if not result.get("ok"):
        raise StageError(f"The demo merchant could not be created: {json.dumps(result)[:500]}")
    return str(result["apiKey"])
