"""Which changes of the API's description break a client."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.openapi_diff import Comparison

DOCUMENT = json.loads((Path(__file__).resolve().parents[3] / "docs" / "openapi.json").read_text())
Change = Callable[[dict[str, Any]], Any]


def small() -> dict[str, Any]:
    """One operation with all that is compared."""
    reference = {"$ref": "#/components/schemas/Pay"}
    return {
        "security": [{"key": []}],
        "paths": {
            "/pay": {
                "post": {
                    "parameters": [{"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 100}}],
                    "requestBody": {"content": {"application/json": {"schema": reference}}},
                    "responses": {
                        "202": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Paid"}}}},
                        "400": {"content": {}},
                    },
                },
                "get": {"security": [], "responses": {"200": {}}},
            }
        },
        "components": {
            "schemas": {
                "Pay": {
                    "type": "object",
                    "required": ["amount"],
                    "properties": {
                        "amount": {"type": "integer", "minimum": 1, "maximum": 1000},
                        "note": {"type": ["string", "null"], "maxLength": 10},
                        "kind": {"enum": ["card", "upi"]},
                        "method": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
                        "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Pay"}},
                    },
                },
                "Paid": {
                    "type": "object",
                    "required": ["id", "status"],
                    "properties": {
                        "id": {"type": "string"},
                        "status": {"enum": ["PENDING"]},
                        "error": {"anyOf": [{"type": "null"}, {"type": "string"}]},
                    },
                },
            }
        },
    }


def breaks(change: Change) -> list[str]:
    new = small()
    change(new)
    return list(Comparison(old=small(), new=new).breaks())


def pay(document: dict[str, Any]) -> dict[str, Any]:
    return document["components"]["schemas"]["Pay"]  # type: ignore[no-any-return]


def paid(document: dict[str, Any]) -> dict[str, Any]:
    return document["components"]["schemas"]["Paid"]  # type: ignore[no-any-return]


def post(document: dict[str, Any]) -> dict[str, Any]:
    return document["paths"]["/pay"]["post"]  # type: ignore[no-any-return]


BREAKS: dict[str, Change] = {
    "POST /pay is gone": lambda d: d["paths"]["/pay"].pop("post"),
    "GET /pay needs a key now": lambda d: d["paths"]["/pay"]["get"].pop("security"),
    "POST /pay knows no query limit any more": lambda d: post(d)["parameters"].pop(),
    "POST /pay requires query limit now": lambda d: post(d)["parameters"][0].update(required=True),
    "POST /pay requires header X now": lambda d: post(d)["parameters"].append(
        {"name": "X", "in": "header", "required": True, "schema": {}}
    ),
    "POST /pay query limit has maximum 50 now": lambda d: post(d)["parameters"][0]["schema"].update(maximum=50),
    "POST /pay takes no body any more": lambda d: post(d).pop("requestBody"),
    "POST /pay does not answer 202 any more": lambda d: post(d)["responses"].pop("202"),
    "POST /pay body.note is gone": lambda d: pay(d)["properties"].pop("note"),
    "POST /pay body.note is required now": lambda d: pay(d)["required"].append("note"),
    "POST /pay body.note has maxLength 5 now": lambda d: pay(d)["properties"]["note"].update(maxLength=5),
    "POST /pay body.note must match a now": lambda d: pay(d)["properties"]["note"].update(pattern="a"),
    "POST /pay body.note was null/string and is string": lambda d: pay(d)["properties"]["note"].update(type="string"),
    "POST /pay body.amount has minimum 2 now": lambda d: pay(d)["properties"]["amount"].update(minimum=2),
    "POST /pay body.kind refuses upi now": lambda d: pay(d)["properties"]["kind"]["enum"].remove("upi"),
    "POST /pay body.method: integer is refused": lambda d: pay(d)["properties"]["method"]["anyOf"].pop(),
    "POST /pay body refuses unknown fields now": lambda d: pay(d).update(additionalProperties=False),
    "POST /pay 202.id is gone": lambda d: paid(d)["properties"].pop("id"),
    "POST /pay 202.id may be absent now": lambda d: paid(d)["required"].remove("id"),
    "POST /pay 202.id was string and is null/string": lambda d: paid(d)["properties"]["id"].update(
        type=["string", "null"]
    ),
    "POST /pay 202.error: object is new in the answer": lambda d: paid(d)["properties"]["error"]["anyOf"].append(
        {"type": "object"}
    ),
}
HARMLESS: dict[str, Change] = {
    "a new path": lambda d: d["paths"].update({"/new": {"get": {"responses": {"200": {}}}}}),
    "an optional parameter": lambda d: post(d)["parameters"].append({"name": "q", "in": "query", "schema": {}}),
    "an optional field": lambda d: pay(d)["properties"].update(new={"type": "string"}),
    "a wider limit": lambda d: pay(d)["properties"]["amount"].update(maximum=2000),
    "no limit": lambda d: pay(d)["properties"]["note"].pop("maxLength"),
    "one more accepted value": lambda d: pay(d)["properties"]["kind"]["enum"].append("wallet"),
    "one more accepted shape": lambda d: pay(d)["properties"]["method"]["anyOf"].append({"type": "boolean"}),
    "a field that is no longer required": lambda d: pay(d)["required"].clear(),
    "one more field in an answer": lambda d: paid(d)["properties"].update(new={"type": "string"}),
    "a field that an answer always has now": lambda d: paid(d)["required"].append("error"),
    "one more value in an answer": lambda d: paid(d)["properties"]["status"]["enum"].append("FAILED"),
    "a shape that an answer no longer has": lambda d: paid(d)["properties"]["error"]["anyOf"].pop(),
    "an error's status": lambda d: post(d)["responses"].pop("400"),
}


@pytest.mark.parametrize("sentence", BREAKS)
def test_a_change_that_breaks_a_client_is_named(sentence: str) -> None:
    assert sentence in breaks(BREAKS[sentence])


@pytest.mark.parametrize("change", HARMLESS)
def test_a_change_that_no_client_feels_is_none(change: str) -> None:
    assert breaks(HARMLESS[change]) == []


def test_the_document_itself_breaks_nothing() -> None:
    assert list(Comparison(old=DOCUMENT, new=copy.deepcopy(DOCUMENT)).breaks()) == []


def test_each_field_of_the_document_that_goes_is_found() -> None:
    """Over the real document: shapes refer to themselves and to each other."""
    new = copy.deepcopy(DOCUMENT)
    del new["components"]["schemas"]["PaymentAnswer"]["properties"]["status"]
    found = list(Comparison(old=DOCUMENT, new=new).breaks())
    assert any(sentence.endswith(".status is gone") for sentence in found)
