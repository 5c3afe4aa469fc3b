"""A merchant with an account at every simulator, as `payflowx demo-data` finds it."""

import json
from pathlib import Path

from ops.demo_data.place import Place, PlacedAccount
from payflowx.adapters.dynamodb.core.values import to_attributes
from payflowx.adapters.dynamodb.merchants.accounts import directory_item
from payflowx.adapters.dynamodb.merchants.configuration import account_item, token_item
from payflowx.domain.providers.ports import Account
from sandbox.simulators import REAL_PROVIDERS, SIMULATORS
from simulation.accounts import KeyPair
from simulation.world import ENVIRONMENT

MERCHANT = "demo"
ROUTING = Path(__file__).parents[3] / "infra" / "routing" / "dev.json"


def demo_place() -> Place:
    accounts = [
        Account(
            provider=name,
            account_id="sandbox",
            endpoint=f"http://127.0.0.1:{4000 + number}{'/pg' if name == 'cashfree' else ''}",
            secret_arn=f"arn:{name}",
            webhook_token=name.replace("_", "").ljust(32, "0"),
        )
        for number, name in enumerate((*SIMULATORS, *REAL_PROVIDERS))
    ]
    partition = f"M#{MERCHANT}"
    items = [{"pk": partition, "sk": "MERCHANT", "name": "Demo", "automaticRefund": False}]
    for account in accounts:
        items += [account_item(partition, account), token_item(MERCHANT, account), directory_item(MERCHANT, account)]
    own = {"stripe": "hook-stripe", "razorpay": "hook-razorpay"}
    keys = {name: KeyPair(f"id-{name}", f"secret-{name}", own.get(name)) for name in (a.provider for a in accounts)}
    return Place(
        merchant_id=MERCHANT,
        settings={**ENVIRONMENT, "CHECKOUT_WAIT_SECONDS": "4", "LOOPBACK_ALLOWED": "true"},
        configuration=[to_attributes(item) for item in items],
        secrets={
            "arn:cursor": "k" * 64,
            "arn:checkout-tokens": "t" * 64,
            **{account.secret_arn: json.dumps(keys[account.provider].fields()) for account in accounts},
        },
        routing=ROUTING.read_bytes(),
        kms=None,
        accounts=[
            PlacedAccount(
                provider=account.provider,
                account_id=account.account_id,
                endpoint=account.endpoint,
                secret_arn=account.secret_arn,
                webhook_path=f"/webhooks/{account.provider}/{account.webhook_token}",
                keys=keys[account.provider],
            )
            for account in accounts
        ],
    )
