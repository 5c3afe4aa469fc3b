"""The environment that the data is made for, as far as the functions have to know it."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ops.target import Target
from simulation.accounts import KeyPair
from testing.dynamodb.values import Item

_ACCOUNT = "ACCOUNT#"
_PAGE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedAccount:
    """The merchant's account at a provider, as it is configured. `webhook_path`: where its webhooks go."""

    provider: str
    account_id: str
    endpoint: str
    secret_arn: str
    webhook_path: str
    keys: KeyPair

    @property
    def host(self) -> str:
        """Host and port of its address."""
        return urlsplit(self.endpoint).netloc


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """`settings` are the variables of all functions together, `configuration` all items of that table.

    `secrets` are texts by their ARNs, `kms` is a boto3 client.
    """

    merchant_id: str
    settings: Mapping[str, str]
    configuration: Sequence[Item]
    secrets: Mapping[str, str]
    routing: bytes
    kms: Any
    accounts: Sequence[PlacedAccount]


def find_place(target: Target, merchant_id: str, routing: bytes) -> Place:
    """Read the environment with the rights of whoever runs this."""
    settings = _settings(target)
    configuration = _configuration(target.client("dynamodb"), settings["CONFIGURATION_TABLE"])
    read = _SecretReader(target.client("secretsmanager"))
    accounts = [
        _account(item, read) for item in configuration if _is_account(item) and item["pk"]["S"] == f"M#{merchant_id}"
    ]
    for name in ("CURSOR_SECRET_ARN", "CHECKOUT_TOKEN_SECRET_ARN"):
        read(settings[name])
    return Place(
        merchant_id=merchant_id,
        settings=settings,
        configuration=configuration,
        secrets=read.texts,
        routing=routing,
        kms=target.client("kms"),
        accounts=accounts,
    )


class _SecretReader:
    """Remembers what it has read."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.texts: dict[str, str] = {}

    def __call__(self, arn: str) -> str:
        if arn not in self.texts:
            self.texts[arn] = self._client.get_secret_value(SecretId=arn)["SecretString"]
        return self.texts[arn]


def _settings(target: Target) -> dict[str, str]:
    """The functions of the environment share names for what is the same."""
    client, settings = target.client("lambda"), dict[str, str]()
    for page in client.get_paginator("list_functions").paginate():
        for function in page["Functions"]:
            variables = function.get("Environment", {}).get("Variables", {})
            if variables.get("TRANSACTIONS_TABLE") and _is_of(function, target):
                settings |= variables
            elif "CONFIGURATION_TABLE" in variables and _is_of(function, target):
                settings = {**variables, **settings}
    return settings


def _is_of(function: Mapping[str, Any], target: Target) -> bool:
    return target.is_local or str(function["FunctionName"]).startswith(f"{target.stack_prefix}-")


def _configuration(client: Any, table: str) -> list[Item]:
    found: list[Item] = []
    for page in client.get_paginator("scan").paginate(TableName=table, PaginationConfig={"PageSize": _PAGE}):
        found += page["Items"]
    return found


def _is_account(item: Item) -> bool:
    return str(item["sk"]["S"]).startswith(_ACCOUNT)


def _account(item: Item, read: Callable[[str], str]) -> PlacedAccount:
    provider, arn = item["provider"]["S"], item["secretArn"]["S"]
    fields = json.loads(read(arn))
    return PlacedAccount(
        provider=provider,
        account_id=item["accountId"]["S"],
        endpoint=item["endpoint"]["S"],
        secret_arn=arn,
        webhook_path=f"/webhooks/{provider}/{item['webhookToken']['S']}",
        keys=KeyPair(fields["keyId"], fields["keySecret"], fields.get("webhookSecret")),
    )
