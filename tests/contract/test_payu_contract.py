"""PayU's hashes against published known answers. The vectors are the providers' and others', and are not kept here."""

import json
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest

from payflowx.domain.providers.events import Webhook
from payflowx.domain.shared.transport import Credentials, HttpRequest
from payflowx.providers.payu.connector import CONNECTOR
from payflowx.providers.payu.requests import authenticate
from payflowx.providers.payu.signature import command_hash, form_hash, is_signed, reverse_hash
from tests.support.left_out import CONTRACTS

VECTORS = CONTRACTS / "vectors.json"

pytestmark = pytest.mark.needs("contracts")

FORM = ("key", "txnid", "amount", "productinfo", "firstname", "email", "udf1", "udf2", "udf3", "udf4", "udf5")


def vectors() -> list[dict[str, Any]]:
    if not VECTORS.is_file():
        return []
    return [row for row in json.loads(VECTORS.read_text()) if row["provider"] == "payu"]


def of_kind(name: str) -> list[Any]:
    return [pytest.param(row, id=row["id"]) for row in vectors() if name in row["id"]]


@pytest.mark.parametrize("row", of_kind("forward"))
def test_form_hash(row: dict[str, Any]) -> None:
    *values, salt = row["message"].split("|")
    fields = dict(zip(FORM, values, strict=False))
    assert form_hash(fields, salt) == row["expected"]


@pytest.mark.parametrize("row", of_kind("reverse"))
def test_reverse_hash(row: dict[str, Any]) -> None:
    salt, status, *rest = row["message"].split("|")
    fields = {"status": status, **dict(zip(FORM, reversed(rest), strict=False))}
    assert reverse_hash(fields, salt) == row["expected"]
    signed = {**fields, "hash": row["expected"]}
    assert is_signed(signed, (salt,))
    assert not is_signed(signed, ("another",))
    webhook = Webhook(headers={}, body=urlencode(signed).encode(), received_at_ms=0)
    assert CONNECTOR.read_webhook(webhook, (salt,)).charge_key == fields["txnid"]


@pytest.mark.parametrize("row", of_kind("command"))
def test_command_hash(row: dict[str, Any]) -> None:
    key, command, var1, salt = row["message"].split("|")
    assert command_hash(key, command, var1, salt) == row["expected"]
    body = urlencode({"command": command, "var1": var1}).encode()
    request = HttpRequest(method="POST", path="/", body=body)
    sent = dict(parse_qsl(authenticate(request, Credentials(key_id=key, key_secret=salt)).body.decode()))
    assert sent["hash"] == row["expected"]


def test_there_are_vectors_of_every_kind() -> None:
    assert all(of_kind(name) for name in ("forward", "reverse", "command"))
