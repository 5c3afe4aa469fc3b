"""The simulators as a Lambda function behind a URL."""

import base64
import json
from typing import Any
from unittest.mock import patch

import pytest

from sandbox import function
from tests.support.engine import InProcessEngine


@pytest.fixture
def sandbox(engine: InProcessEngine, dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    secret = engine.client("secretsmanager").create_secret(
        Name="sandbox", SecretString=json.dumps({"keyId": "id", "keySecret": "secret"})
    )
    monkeypatch.setenv("SANDBOX_SECRET_ARN", secret["ARN"])
    monkeypatch.setenv("SANDBOX_TABLE", "configuration")
    function._simulator.cache_clear()
    with patch.object(function, "_client", engine.client):
        yield call
    engine.client("secretsmanager").delete_secret(SecretId="sandbox", ForceDeleteWithoutRecovery=True)


def call(method: str, path: str, body: Any = None, key: str = "secret", *, encoded: bool = False) -> tuple[int, Any]:
    text = json.dumps(body) if body is not None else None
    event = {
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"Authorization": f"Bearer {key}", "Idempotency-Key": "k1"},
        "requestContext": {"domainName": "sandbox.test", "http": {"method": method}},
        "body": base64.b64encode(text.encode()).decode() if encoded and text else text,
        "isBase64Encoded": encoded,
    }
    answer = function.handler(event, None)
    return answer["statusCode"], json.loads(answer["body"])


CHARGE = {"amount": 1, "currency": "USD", "source": "tok_success", "reference": "r"}


@pytest.mark.parametrize("encoded", [False, True])
def test_a_charge_survives_the_function(sandbox: Any, encoded: bool) -> None:
    status, charge = sandbox("POST", "/mock/v1/charges", CHARGE, encoded=encoded)
    assert (status, charge["status"]) == (200, "succeeded")
    assert sandbox("GET", "/mock/_ledger")[1]["entries"][0]["status"] == "charged"


def test_the_books_are_open_to_those_with_the_key_only(sandbox: Any) -> None:
    assert sandbox("GET", "/mock/_ledger", key="guess")[0] == 401
    assert sandbox("POST", "/mock/v1/charges", CHARGE, key="guess")[0] == 401
    assert sandbox("POST", "/mock/_control", {"faults": {}})[0] == 404


def test_an_address_of_no_provider(sandbox: Any) -> None:
    assert sandbox("GET", "/nobody/x")[0] == 404
