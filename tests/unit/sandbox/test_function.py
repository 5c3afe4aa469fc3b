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


def test_a_hosted_page_is_open_to_everybody_who_has_its_address(sandbox: Any) -> None:
    asked = {
        "reference": "pfx-1",
        "amount": 100,
        "currency": "INR",
        "method": "card",
        "capture": "automatic",
        "expires_at": 9_999_999_999_999,
        "return_url": "https://shop.example/back",
    }
    session = sandbox("POST", "/mock/v1/sessions", asked)[1]
    path = session["url"].removeprefix("https://sandbox.test")
    assert path.startswith("/mock/pages/")
    shown, paid = browse("GET", path), browse("POST", path, "act=pay&method=card")
    assert (shown["statusCode"], shown["headers"]["content-type"]) == (200, "text/html; charset=utf-8")
    assert (paid["statusCode"], paid["headers"]["location"]) == (303, "https://shop.example/back")
    assert sandbox("GET", f"/mock/v1/sessions/{session['id']}")[1]["status"] == "paid"


def browse(method: str, path: str, form: str = "") -> dict[str, Any]:
    """As a browser does, without credentials."""
    event = {
        "rawPath": path,
        "headers": {"Content-Type": "application/x-www-form-urlencoded"},
        "requestContext": {"domainName": "sandbox.test", "http": {"method": method}},
        "body": form,
    }
    return function.handler(event, None)
