"""The document is made from the types that decode, and the committed copy is the one that is served."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from payflowx.entrypoints.api.openapi import document
from payflowx.entrypoints.api.problems import KINDS
from tests.support.handlers import payment_body

ROOT = Path(__file__).resolve().parents[3]


def validator(name: str) -> Draft202012Validator:
    schemas = document()["components"]
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": schemas})


def test_the_committed_copy_is_up_to_date() -> None:
    """`make openapi` writes it."""
    assert json.loads((ROOT / "docs/openapi.json").read_text()) == document()


def test_every_reference_leads_somewhere() -> None:
    text = json.dumps(document())
    known = set(document()["components"]["schemas"])
    used = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert used <= known


def test_every_operation_has_a_name_and_documents_its_problems() -> None:
    statuses = {str(kind.status) for kind in KINDS.values()}
    names = set()
    for item in document()["paths"].values():
        for operation in item.values():
            names.add(operation["operationId"])
            assert set(operation["responses"]) <= statuses | {"200", "201", "202", "204"}
            assert set(operation["responses"]) >= {"500", "504"}, "API Gateway's own"
    assert len(names) == 18


@pytest.mark.parametrize(
    ("changes", "valid"),
    [
        ({}, True),
        ({"metadata": {"a": "b"}, "capture": "manual", "customer": {"country": "IN"}}, True),
        ({"amount": 1.5}, False),
        ({"amount": 0}, False),
        ({"currency": "usd"}, False),
        ({"surprise": 1}, False),
        ({"paymentMethod": {"token": "t"}}, False),
    ],
)
def test_the_schema_says_what_the_decoder_does(changes: dict[str, object], valid: bool) -> None:
    assert validator("CreatePaymentRequest").is_valid(payment_body(**changes)) is valid
